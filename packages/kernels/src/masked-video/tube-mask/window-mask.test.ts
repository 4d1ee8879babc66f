import { describe, expect, it } from 'vitest';
import { maskFromBooleans, MaskError, tubeMaskHost, windowMaskCounts, type Extents3 } from './window-mask.js';

const base = { grid: [8, 10, 10] as Extents3, region: [2, 5, 10] as Extents3, maskRatio: 0.9 };

describe('windowMaskCounts', () => {
  it('counts the published setting: 80 of 800 tokens visible, 10 in each of 8 regions', () => {
    expect(windowMaskCounts(base)).toEqual({
      grid: [8, 10, 10],
      region: [2, 5, 10],
      regionGrid: [4, 2, 1],
      regions: 8,
      visiblePerWindow: 5,
      visiblePerRegion: 10,
      visibleCount: 80,
      maskedCount: 720,
    });
  });

  it('takes the grid for the one region of a plain tube', () => {
    const counts = windowMaskCounts({ kind: 'tube', grid: [8, 10, 10], maskRatio: 0.9 });
    expect([counts.regions, counts.visiblePerRegion, counts.maskedCount]).toEqual([1, 80, 720]);
  });

  it('names what cannot be masked', () => {
    for (const maskRatio of [1, -0.1, NaN]) {
      expect(() => windowMaskCounts({ ...base, maskRatio })).toThrow(MaskError);
    }
    expect(() => windowMaskCounts({ ...base, maskRatio: 1.5 })).toThrow(/maskRatio is 1.5/);
    expect(() => windowMaskCounts({ ...base, region: [2, 4, 10] })).toThrow(/8×10×10 .* regions of 2×4×10/);
    expect(() => windowMaskCounts({ ...base, region: [2, 0, 10] })).toThrow(/region is \[2, 0, 10\]/);
    const almostOne = { grid: [1, 1, 3] as const, region: [1, 1, 3] as const, maskRatio: 1 - 2 ** -53 };
    expect(windowMaskCounts(almostOne).visibleCount).toBe(1);
  });
});

describe('tubeMaskHost', () => {
  const lists = tubeMaskHost({ ...base, samples: [5, 6], seed: 1, epoch: 2 });

  it('shows the same positions in every slot, equally many of each window', () => {
    for (const b of [0, 1]) {
      const ascending = lists.visibleAscending.subarray(b * 80, b * 80 + 80);
      const first = ascending.subarray(0, 10);
      for (let t = 0; t < 8; t++) {
        expect([...ascending.subarray(t * 10, t * 10 + 10)]).toEqual([...first].map((p) => p + 100 * t));
      }
      expect(first.filter((p) => p < 50)).toHaveLength(5);
      const masked = lists.masked.subarray(b * 720, b * 720 + 720);
      expect([...ascending, ...masked].sort((x, y) => x - y)).toEqual(
        Array.from({ length: 800 }, (_, p) => p),
      );
      expect([...masked]).toEqual([...masked].sort((x, y) => x - y));
    }
  });

  it('keeps visible tokens by region: two slots of the upper half, then two of the lower', () => {
    const ascending = lists.visibleAscending.subarray(0, 80);
    const upper = [...ascending.subarray(0, 5), ...ascending.subarray(10, 15)];
    const lower = [...ascending.subarray(5, 10), ...ascending.subarray(15, 20)];
    expect([...lists.visible.subarray(0, 20)]).toEqual([...upper, ...lower]);
  });

  it('depends on sample, seed and epoch and on nothing else', () => {
    const alone = tubeMaskHost({ ...base, samples: [6], seed: 1, epoch: 2 });
    expect([...alone.masked]).toEqual([...lists.masked.subarray(720)]);
    for (const other of [
      { seed: 2, epoch: 2 },
      { seed: 1, epoch: 3 },
    ]) {
      expect([...tubeMaskHost({ ...base, samples: [6], ...other }).masked]).not.toEqual([...alone.masked]);
    }
    expect([...lists.masked.subarray(0, 720)]).not.toEqual([...lists.masked.subarray(720)]);
  });

  it('shows every position equally often', () => {
    const samples = Array.from({ length: 4000 }, (_, i) => i);
    const { visible } = tubeMaskHost({
      grid: [1, 1, 8],
      region: [1, 1, 8],
      maskRatio: 0.75,
      samples,
      seed: 3,
      epoch: 0,
    });
    const counts = new Array<number>(8).fill(0);
    for (const p of visible) counts[p]!++;
    // Expected 1000, standard deviation 27.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });
});

describe('maskFromBooleans', () => {
  it('gives the lists of a drawn mask back', () => {
    const lists = tubeMaskHost({ ...base, samples: [5, 6], seed: 1, epoch: 2 });
    const mask = new Uint8Array(1600);
    lists.masked.forEach((p, i) => (mask[Math.floor(i / 720) * 800 + p] = 1));
    const { counts, ...again } = maskFromBooleans(mask, base.grid, base.region);
    expect(again).toEqual(lists);
    expect(counts).toEqual(windowMaskCounts(base));
  });

  it('takes masks that differ between slots, if regions have as many visible tokens', () => {
    // Two slots of 1×4 tokens; regions 2×1×2.
    const mask = Uint8Array.of(0, 0, 1, 0, 1, 1, 0, 1);
    const { visible, masked, visibleAscending } = maskFromBooleans(mask, [2, 1, 4], [2, 1, 2]);
    expect([...visible]).toEqual([0, 1, 3, 6]);
    expect([...visibleAscending]).toEqual([0, 1, 3, 6]);
    expect([...masked]).toEqual([2, 4, 5, 7]);
  });

  it('refuses regions that differ, and lengths that do not fit', () => {
    const uneven = Uint8Array.of(0, 1, 1, 1, 0, 1, 0, 1);
    expect(() => maskFromBooleans(uneven, [1, 2, 4], [1, 1, 4])).toThrow(
      /region 1 has 2 visible tokens.* has 1/,
    );
    expect(() => maskFromBooleans(uneven, [1, 1, 4], [1, 1, 4])).toThrow(/sample 1, region 0 has 2/);
    expect(() => maskFromBooleans(uneven.subarray(1), [1, 2, 4], [1, 1, 4])).toThrow(/7 values .* 1×2×4 = 8/);
    expect(() => maskFromBooleans(new Uint8Array(8).fill(1), [1, 2, 4], [1, 1, 4])).toThrow(
      /no token visible/,
    );
  });
});
