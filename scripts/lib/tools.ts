import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const { resolve } = createRequire(import.meta.url);

/** Scripts of the installed tools, to be started with Node. */
export const turbo = resolve('turbo/bin/turbo');
export const vitest = join(dirname(resolve('vitest/package.json')), 'vitest.mjs');
export const vitepress = join(dirname(resolve('vitepress/package.json')), 'bin', 'vitepress.js');

/** Arguments for vitest: the tests of the kernels, or those of them whose paths in that package begin so. */
export const testsOfKernels = (paths: readonly string[]) =>
  (paths.length > 0 ? paths : ['']).map((path) => `packages/kernels/${path}`);
