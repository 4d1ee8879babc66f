import { readFileSync } from 'node:fs';
import { defineKernel, kernelCatalogue } from '@tubelet/kernels/lab';
import { expect, it } from 'vitest';
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
    }) as (typeof kernelCatalogue)[number],
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

it('is the committed one; otherwise run `npm run docs:kernels`', async () => {
  const committed = readFileSync(new URL('../../../docs/kernels.md', import.meta.url), 'utf8');
  expect(committed).toBe(await kernelTable(kernelCatalogue));
});
