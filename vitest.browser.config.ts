import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig, defineProject } from 'vitest/config';
import { launchOptions } from './scripts/lib/chromium-options.js';
import { hanging, sharedTest, wgsl } from './vitest.shared.ts';

const root = fileURLToPath(new URL('.', import.meta.url));
const executablePath = process.env.TUBELET_BROWSER;
if (executablePath === undefined)
  throw new Error('TUBELET_BROWSER names no Chromium: npm run test:browser finds one');

/** The tests beside the kernels' case tables. */
const ofKernels = readdirSync(`${root}packages/kernels/src`, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.cases.ts'))
  .map((path) => `packages/kernels/src/${path.replaceAll('\\', '/').replace(/cases\.ts$/, 'test.ts')}`);

/** The tests that run in a page too, the same files as in Node: `npm run test:browser -- <part of a path>`. */
const inPage = defineProject({
  plugins: [wgsl],
  // There is no environment to choose another level of tests in.
  define: { 'process.env': '({})' },
  resolve: {
    conditions: ['@tubelet/source', 'browser', 'import', 'module', 'default'],
    // As the README says of a page.
    alias: { '@tubelet/autograd/node': `${root}packages/autograd/src/index.ts` },
  },
  // Packages of Node are behind imports that a page does not reach.
  optimizeDeps: { noDiscovery: true },
  test: {
    name: 'page',
    include: [...ofKernels, 'packages/autograd/src/**/*.test.ts'],
    // They use Node's Buffer.
    exclude: ['packages/autograd/src/formats/{pytorch-checkpoint,safetensors}.test.ts'],
    testTimeout: hanging,
    hookTimeout: hanging,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { ...launchOptions, executablePath } }),
      instances: [{ browser: 'chromium' }],
    },
  },
});

/** The tests that open a page themselves, and compare it with Node. */
const ofPages = defineProject({
  ...sharedTest,
  test: {
    ...sharedTest.test,
    name: 'playground',
    include: ['apps/playground/src/**/*.browser-test.ts'],
    provide: { launchOptions: { ...launchOptions, executablePath } },
  },
});

export default defineConfig({ test: { fileParallelism: false, projects: [inPage, ofPages] } });
