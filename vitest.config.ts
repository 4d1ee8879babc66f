import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { sharedTest } from './vitest.shared.ts';

const root = fileURLToPath(new URL('.', import.meta.url));
const ofKernels = 'packages/kernels/src';
const sources = readdirSync(`${root}${ofKernels}`, { recursive: true, encoding: 'utf8' });
// What is not tested daily are shapes of kernels, and those are tested beside their case tables.
const besideCases = sources
  .filter((path) => path.endsWith('.cases.ts'))
  .map((path) => `${ofKernels}/${path.replaceAll('\\', '/').replace(/cases\.ts$/, 'test.ts')}`);

const daily = [
  '{packages,apps}/*/src/**/*.test.ts',
  '{benchmarks,examples}/src/**/*.test.ts',
  'scripts/**/*.test.ts',
];

export default defineConfig({
  ...sharedTest,
  // So that vitest may be started in any folder.
  root,
  test: {
    ...sharedTest.test,
    include: process.env['TUBELET_TEST'] === 'rest' ? besideCases : daily,
    exclude: ['scripts/shell-blocks.test.ts'],
    globalSetup: 'scripts/lib/test-cache.ts',
    // A software driver computes on every core, but compiles on one.
    fileParallelism: true,
    maxWorkers: 2,
  },
});
