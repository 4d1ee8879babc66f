import { build } from 'esbuild';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './lib/root.mjs';

// Bundling for a browser fails when a module imports anything of Node.
it.each([
  ['kernels', 'index.ts'],
  ['autograd', 'index.ts'],
  ['mae-dfer', 'index.ts'],
  ['video', 'pixels/index.ts'],
])('%s (%s) bundles for a browser, from source', async (name, entry) => {
  const { outputFiles, warnings } = await build({
    entryPoints: [join(root, 'packages', name, 'src', entry)],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    conditions: ['@tubelet/source'],
    loader: { '.wgsl': 'text' },
    logLevel: 'silent',
  });
  expect(warnings).toEqual([]);
  expect(outputFiles).toHaveLength(1);
  const { text } = outputFiles[0]!;
  expect(text).not.toMatch(/\bfrom ["']node:/);
  expect(text).not.toMatch(/\bprocess\./);
  expect(text.length).toBeGreaterThan(10_000);
});
