import { readFileSync } from 'node:fs';
import { defineKernel, type KernelSpec } from '@tubelet/kernels/lab';
import { expect, it } from 'vitest';
import { documents } from './documents.js';
import { featureTable } from './feature-table.js';
import { kernelTable } from './kernel-table.js';
import { withPretrainingDays } from './pretraining-days.js';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

it('lists a kernel with its variants, what they need, its cases and its tolerance', async () => {
  const table = await kernelTable([
    defineKernel<number>({
      name: 'norm',
      summary: '|x| of a row',
      variants: [
        { name: 'plain', needs: [], prefers: 'any' },
        { name: 'quick', needs: ['subgroups', 'shader-f16'], prefers: 'gpu', precision: 'f16' },
      ],
      cases: [
        { name: 'one row', kind: 'tiny', shape: 1 },
        { name: 'base, all tokens', kind: 'model', shape: 808 },
      ],
      randomShape: () => 7,
      inputs: () => ({}),
      outputs: () => ({}),
      run: () => undefined,
      reference: () => ({}),
      cost: () => ({ macs: 0, flops: 0, bytesRead: 0, bytesWritten: 0 }),
      tolerance: 3e-6,
    }) as KernelSpec,
  ]);
  const rows = table.split('\n').filter((line) => line.startsWith('| `norm`'));
  const cells = rows.map((row) =>
    row
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim())
      .slice(1, -1),
  );
  expect(cells).toEqual([
    [
      '`norm`',
      '\\|x\\| of a row',
      '`plain`, `quick` (f16)',
      'subgroups + shader-f16 (`quick`)',
      '1 model, 1 tiny, random',
      '3e-6',
    ],
  ]);
  expect(table).toContain('- `norm`: base, all tokens');
});

it('says of operations whether they work, and what they lack', async () => {
  const operation = { summary: 'a or b', examples: () => [] };
  const text = await featureTable(
    {
      Elements: [
        { ...operation, name: 'or' },
        { ...operation, name: 'nor', lacks: 'no c', isConstant: true },
      ],
    },
    ['exclusive or'],
  );
  const cells = text.split('\n').map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .join('|'),
  );
  expect(cells).toContain('|`or`|a or b|works|checked|');
  expect(cells).toContain('|`nor`|a or b|partly: no c|none|');
  expect(cells).toContain('- exclusive or');
});

it.each(Object.entries(documents))(
  '%s is the committed one; otherwise run `npm run docs`',
  async (path, make) => {
    expect(read(path)).toBe(await make(read));
  },
);

it('reckons days of pre-training from the cautious times of steps', async () => {
  const document = read('docs/pre-training.md');
  const times = (heading: string, rows: readonly string[]) =>
    [
      `\n## Milliseconds of a step in ${heading}\n`,
      '| model | task | clips | H100 SXM | Phone |',
      ...rows,
    ].join('\n');
  const page =
    times('f32', [
      '| tiny | pretrain | 32 | 120 (60–240) | 1 (1–1) |',
      '| small | pretrain | 32 | 150 (60–240) | 1 (1–1) |',
      '| base | pretrain | 32 | 200 (100–320) | 3000 (900–3200) |',
    ]) + times('f16 on matrix units', ['| base | pretrain | 32 | 80.5 (40.0–160) |']);
  const text = await withPretrainingDays(document, page);
  const rows = text.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  // 32 clips in 320 ms: 54,600,450 clips take 546,004.5 seconds.
  expect(rows).toContainEqual(['', 'H100 SXM', '100', '6.3', '200', '3.2', '']);
  expect(rows).toContainEqual(['', 'Phone', '10.0', '63.2', '–', '–', '']);
  expect(text).toContain('`small` takes 0.75 of the time of `base` and `tiny` 0.60');
  await expect(withPretrainingDays('# Without the lines', page)).rejects.toThrow('docs/pre-training.md');
  await expect(withPretrainingDays(document, '# Without tables')).rejects.toThrow('docs/expected-speed.md');
});
