import { lgiFormer, tokenCount, regionCount } from '@tubelet/mae-dfer';
import { describe, expect, it } from 'vitest';
import { blockMacs } from './block.js';
import { caseFlops, caseInputs, peerCases, SCALE_CASE } from './cases.js';

describe('the cases of bench:peers', () => {
  it('are those of LGI-Former base on one clip, and a square product', () => {
    const base = lgiFormer('base');
    const rows = tokenCount(base) + regionCount(base);
    const names = peerCases.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain(SCALE_CASE);
    const products = peerCases.flatMap(({ shape }) => (shape.kind === 'matmul' ? [shape] : []));
    expect(products.map(({ m, k, n }) => [m, k, n])).toEqual([
      [1024, 1024, 1024],
      [rows, base.dim, 3 * base.dim],
      [rows, base.dim, base.dim],
      [rows, 4 * base.dim, base.dim],
    ]);
    const blocks = peerCases.flatMap(({ shape }) => (shape.kind === 'block' ? [shape] : []));
    expect(blocks.map(({ part }) => part)).toEqual(['forward', 'forward+backward', 'step']);
    for (const block of blocks) {
      expect(block.regions * (1 + block.locals)).toBe(rows);
      expect(block).toMatchObject({ width: base.dim, heads: base.heads });
    }
  });

  it('draw the same inputs every time, of the shapes they state', () => {
    const shape = { kind: 'block', part: 'step', regions: 2, locals: 3, width: 8, heads: 2 } as const;
    const inputs = caseInputs(shape);
    expect(inputs).toEqual(caseInputs(shape));
    for (const { data, shape: extents } of Object.values(inputs)) {
      expect(data.length).toBe(extents.reduce((product, extent) => product * extent, 1));
    }
    expect(inputs['x']!.shape).toEqual([2, 4, 8]);
    expect(inputs['local.qkv']!.shape).toEqual([8, 24]);
    const mean = inputs['mlp.Norm.weight']!.data.reduce((sum, value) => sum + value, 0) / 8;
    expect(mean).toBeGreaterThan(0.8);
  });

  it('count operations', () => {
    expect(caseFlops({ kind: 'matmul', m: 2, n: 3, k: 5 })).toBe(60);
    expect(caseFlops({ kind: 'attention', groups: 2, rows: 3, heads: 2, headDimension: 4 })).toBe(2 * 288);
    // One region without locals: each attention is over one row, local–global over none.
    expect(blockMacs({ regions: 1, locals: 0, width: 2, heads: 1 })).toBe(
      4 * 4 + 2 * 2 + 4 * 4 + 2 * 2 + 8 + 32,
    );
    const block = { kind: 'block', regions: 2, locals: 3, width: 8, heads: 2 } as const;
    const gpt = { batch: 1, context: 1, letters: 3, width: 2, heads: 1, depth: 1 };
    expect(caseFlops({ kind: 'gpt', ...gpt })).toBe(6 * (12 * 4 + 2 * 2 + 2 * 3));
    expect(caseFlops({ ...block, part: 'step' })).toBe(3 * caseFlops({ ...block, part: 'forward' }));
  });
});
