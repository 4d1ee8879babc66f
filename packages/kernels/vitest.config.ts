import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { sharedTest } from '../../vitest.shared.ts';

const sources = readdirSync(fileURLToPath(new URL('./src', import.meta.url)), {
  recursive: true,
  encoding: 'utf8',
});
// What is not tested daily are shapes of kernels, and those are tested beside their case tables.
const besideCases = sources
  .filter((path) => path.endsWith('.cases.ts'))
  .map((path) => `src/${path.replaceAll('\\', '/').replace(/cases\.ts$/, 'test.ts')}`);

export default defineConfig({
  ...sharedTest,
  test: {
    ...sharedTest.test,
    ...(process.env['TUBELET_TEST'] === 'rest' && { include: besideCases }),
    // Most of the time goes into compiling kernels, which a software driver does on one core.
    fileParallelism: true,
    maxWorkers: 2,
  },
});
