import { readFileSync } from 'node:fs';
import { defineKernel, type KernelSpec } from '@tubelet/kernels/lab';
import { expect, it } from 'vitest';
import { documents } from './documents.js';
import { featureTable } from './feature-table.js';
import { kernelTable } from './kernel-table.js';

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
    const committed = readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
    expect(committed).toBe(await make());
  },
);
