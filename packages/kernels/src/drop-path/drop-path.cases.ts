import { defineKernel, type KernelCase } from '../kernel-spec.js';
import {
  createDropPathBranches,
  dropPathCost,
  dropPathScales,
  dropPathScalesHost,
  dropPathVariants,
  type DropPathBranch,
} from './drop-path.js';

interface DropPathShape {
  readonly branches: number;
  readonly batch: number;
  readonly unitsPerSample: number;
}

const cases: readonly KernelCase<DropPathShape>[] = [
  { name: 'one factor', kind: 'edge', shape: { branches: 1, batch: 1, unitsPerSample: 1 } },
  { name: '16 blocks, region-wise', kind: 'model', shape: { branches: 32, batch: 16, unitsPerSample: 8 } },
];

const key = { seed: 11, epoch: 4 } as const;

/** Rates that rise with depth, as in the model; the first is 0. */
export function risingRates(branches: number): DropPathBranch[] {
  return Array.from({ length: branches }, (_, i) => ({ branch: 4 * i + 1, rate: (0.8 * i) / branches }));
}

export const dropPathKernel = defineKernel<DropPathShape>({
  name: 'drop-path',
  summary: 'factors of residual branches under stochastic depth',
  variants: dropPathVariants,
  cases,
  randomShape: (random) => ({
    branches: 1 + random.integer(5),
    batch: 1 + random.integer(9),
    unitsPerSample: 1 + random.integer(12),
  }),
  inputs: ({ batch }) => ({
    samples: {
      shape: [batch],
      dtype: 'u32',
      fill: (random) => Uint32Array.from({ length: batch }, () => random.integer(2 ** 32)),
    },
  }),
  outputs: ({ branches, batch, unitsPerSample }) => ({ out: { shape: [branches, batch * unitsPerSample] } }),
  run: (runtime, { branches }, { samples }, { out }) => {
    const rows = createDropPathBranches(runtime, risingRates(branches));
    dropPathScales(runtime, { out: out!, branches: rows, samples: samples!, ...key });
  },
  reference: ({ branches, unitsPerSample }, { samples }) => ({
    out: Float64Array.from(
      dropPathScalesHost({ branches: risingRates(branches), samples: samples!, unitsPerSample, ...key }),
    ),
  }),
  cost: ({ branches, batch, unitsPerSample }) => dropPathCost(branches, batch, unitsPerSample),
  tolerance: 0,
});
