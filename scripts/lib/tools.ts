import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const { resolve } = createRequire(import.meta.url);

/** Scripts of the installed tools, to be started with Node. */
export const turbo = resolve('turbo/bin/turbo');
export const vitest = join(dirname(resolve('vitest/package.json')), 'vitest.mjs');
export const vitepress = join(dirname(resolve('vitepress/package.json')), 'bin', 'vitepress.js');

/**
 * Arguments for vitest: those given, where paths that begin with `src/` are those of the kernels, and where there are no
 * such ones, all of the kernels' tests.
 */
export function testsOfKernels(given: readonly string[]): string[] {
  const args = given.map((arg) => (arg.startsWith('src/') ? `packages/kernels/${arg}` : arg));
  return args.some((arg) => arg.startsWith('packages/')) ? args : ['packages/kernels/', ...args];
}
