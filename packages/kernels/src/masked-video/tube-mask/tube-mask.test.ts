import { describe, expect, it } from 'vitest';
import { testKernel } from '../../testing/kernel-harness.js';
import { useRuntime } from '../../testing/test-runtime.js';
import { tubeMaskKernel } from './tube-mask.cases.js';
import { tubeMask } from './tube-mask.js';

describe('tube mask on the GPU', () => {
  const runtime = useRuntime();

  testKernel(runtime, tubeMaskKernel, { randomShapes: 4 });

  it('refuses lists of another shape, and masks of nothing', () => {
    runtime().scope(() => {
      const samples = runtime().empty([2], 'u32');
      const visible = runtime().empty([2, 2, 1], 'u32');
      const masked = runtime().empty([2, 2], 'u32');
      const visibleAscending = runtime().empty([2, 2], 'u32');
      const lists = { samples, visible, masked, visibleAscending, seed: 1, epoch: 0 };
      const design = { grid: [1, 2, 2], region: [1, 1, 2], maskRatio: 0.5 } as const;
      tubeMask(runtime(), { ...design, ...lists });
      expect(() => tubeMask(runtime(), { ...design, kind: 'tube', ...lists })).toThrow(
        /give a contiguous u32\[2, 1, 2\]/,
      );
      expect(() => tubeMask(runtime(), { ...design, ...lists, masked: visible })).toThrow(
        /masked is u32\[2, 2, 1\]/,
      );
      expect(() => tubeMask(runtime(), { ...design, ...lists, maskRatio: 0.4 })).toThrow(/masks none of 1×2/);
    });
  });
});
