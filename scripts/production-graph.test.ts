import { build } from 'esbuild';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './lib/root.mjs';

/** Every file that a program loads, from source. */
async function filesOf(entry: string): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [join(root, entry)],
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    conditions: ['@tubelet/source'],
    loader: { '.wgsl': 'text' },
    // Packages of others stay out; ours are bundled, which the condition above finds.
    plugins: [
      {
        name: 'packages of others',
        setup: (plugin) =>
          plugin.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
            kind === 'entry-point' || path.startsWith('@tubelet/') ? undefined : { path, external: true },
          ),
      },
    ],
    logLevel: 'silent',
  });
  return Object.keys(metafile.inputs);
}

const ofTests = /\.(cases|shapes|reference|test|testing)\.ts$|\/(testing|lab)\//;

it.each(['apps/pretrain/src/index.ts', 'apps/finetune/src/index.ts'])(
  '%s loads kernels and none of their cases, references and test data',
  async (entry) => {
    const files = await filesOf(entry);
    expect(files).toContain('packages/kernels/src/matmul/matmul.ts');
    expect(files).toContain('packages/kernels/src/tuning/kernel-choices.ts');
    expect(files.filter((file) => ofTests.test(file))).toEqual([]);
  },
);

it('loads no charts for the files of a training', async () => {
  const ofCharts = (files: readonly string[]) => files.filter((file) => file.includes('/charts/'));
  expect(ofCharts(await filesOf('packages/trainer/src/formats/index.ts'))).toEqual([]);
  expect(ofCharts(await filesOf('packages/trainer/src/index.ts'))).not.toEqual([]);
});

it('would find them in what does load them', async () => {
  const files = await filesOf('benchmarks/src/kernels/cli.ts');
  expect(files).toContain('packages/kernels/src/gelu/gelu.cases.ts');
});
