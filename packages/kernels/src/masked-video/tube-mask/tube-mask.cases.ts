import { defineKernel, type KernelCase } from '../../kernel-spec.js';
import { tubeMask, tubeMaskCost, tubeMaskVariants } from './tube-mask.js';
import { tubeMaskHost, windowMaskCounts, type MaskDesign } from './window-mask.js';

interface MaskShape {
  readonly design: MaskDesign;
  readonly batch: number;
}

const cases: readonly KernelCase<MaskShape>[] = [
  {
    name: 'LGI-Former base: 8×10×10, regions 2×5×10, 90 %',
    kind: 'model',
    shape: { design: { grid: [8, 10, 10], region: [2, 5, 10], maskRatio: 0.9 }, batch: 32 },
  },
  {
    name: 'regions narrower than the frame',
    kind: 'edge',
    shape: { design: { grid: [4, 6, 9], region: [2, 2, 3], maskRatio: 0.5 }, batch: 3 },
  },
  {
    name: 'plain tubes of a ViT',
    kind: 'model',
    shape: { design: { kind: 'tube', grid: [8, 10, 10], maskRatio: 0.9 }, batch: 4 },
  },
  {
    name: 'hardly anything masked',
    kind: 'edge',
    shape: { design: { grid: [1, 1, 2], region: [1, 1, 2], maskRatio: 0.5 }, batch: 70 },
  },
];

export const tubeMaskKernel = defineKernel<MaskShape>({
  name: 'tube-mask',
  summary: 'window-wise or plain tube masks, drawn by Philox, as token lists',
  variants: tubeMaskVariants,
  cases,
  randomShape: (random) => {
    const region = [1 + random.integer(3), 1 + random.integer(4), 2 + random.integer(6)] as const;
    const grid = [
      region[0] * (1 + random.integer(3)),
      region[1] * (1 + random.integer(3)),
      region[2] * (1 + random.integer(3)),
    ] as const;
    return {
      design: { grid, region, maskRatio: 0.5 + 0.49 * random.uniform() },
      batch: 1 + random.integer(5),
    };
  },
  inputs: ({ batch }) => ({
    samples: {
      shape: [batch],
      dtype: 'u32',
      fill: (random) => Uint32Array.from({ length: batch }, () => random.integer(2 ** 32)),
    },
  }),
  outputs: ({ design, batch }) => {
    const { regions, visiblePerRegion, maskedCount, visibleCount } = windowMaskCounts(design);
    return {
      visible: { shape: [batch, regions, visiblePerRegion], dtype: 'u32' },
      masked: { shape: [batch, maskedCount], dtype: 'u32' },
      visibleAscending: { shape: [batch, visibleCount], dtype: 'u32' },
    };
  },
  run: (runtime, { design }, { samples }, { visible, masked, visibleAscending }) =>
    tubeMask(runtime, {
      ...design,
      samples: samples!,
      visible: visible!,
      masked: masked!,
      visibleAscending: visibleAscending!,
      seed: 2 ** 40 + 9,
      epoch: 3,
    }),
  reference: ({ design }, { samples }) => {
    const { visible, masked, visibleAscending } = tubeMaskHost({
      ...design,
      samples: samples!,
      seed: 2 ** 40 + 9,
      epoch: 3,
    });
    return {
      visible: Float64Array.from(visible),
      masked: Float64Array.from(masked),
      visibleAscending: Float64Array.from(visibleAscending),
    };
  },
  cost: ({ design, batch }) => tubeMaskCost(batch, windowMaskCounts(design)),
});
