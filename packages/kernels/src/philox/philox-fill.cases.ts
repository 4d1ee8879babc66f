import { defineKernel, type KernelCase, type KernelSpec } from '../kernel-spec.js';
import {
  philoxFillCost,
  philoxFillVariants,
  philoxNormal,
  philoxUint32,
  philoxUniform,
} from './philox-fill.js';
import { PhiloxStream, Purpose } from './philox.js';

interface FillShape {
  readonly count: number;
  readonly seed: number;
  readonly epoch: number;
  readonly sample: number;
}

const largeSeed = 0x1_2345_6789_abc;
const cases: readonly KernelCase<FillShape>[] = [
  { name: 'one draw', kind: 'edge', shape: { count: 1, seed: 0, epoch: 0, sample: 0 } },
  { name: 'part of a block', kind: 'edge', shape: { count: 257, seed: 7, epoch: 0xffffffff, sample: 3 } },
  {
    name: '100,000 draws',
    kind: 'model',
    shape: { count: 100_000, seed: largeSeed, epoch: 12, sample: 0xfffffffe },
  },
];

const dispatchers = { uint32: philoxUint32, uniform: philoxUniform, normal: philoxNormal } as const;

function fillKernel(kind: keyof typeof dispatchers, summary: string): KernelSpec<FillShape> {
  const stream = (shape: FillShape) => new PhiloxStream({ ...shape, purpose: Purpose.test });
  return defineKernel<FillShape>({
    name: `philox-${kind}`,
    summary,
    variants: philoxFillVariants,
    cases,
    inputs: () => ({}),
    outputs: ({ count }) => ({ out: { shape: [count], dtype: kind === 'uint32' ? 'u32' : 'f32' } }),
    run: (runtime, { seed, epoch, sample }, _inputs, { out }) =>
      dispatchers[kind](runtime, { out: out!, seed, epoch, sample, purpose: Purpose.test }),
    reference: (shape) => {
      const draws = stream(shape);
      const next = {
        uint32: () => draws.nextUint32(),
        uniform: () => draws.uniform(),
        normal: () => draws.normal(),
      }[kind];
      return { out: Float64Array.from({ length: shape.count }, next) };
    },
    cost: ({ count }) => philoxFillCost(count),
    tolerance: kind === 'normal' ? 1e-6 : 0,
  });
}

export const philoxUint32Kernel = fillKernel('uint32', 'draws of a Philox 4×32-10 stream');
export const philoxUniformKernel = fillKernel('uniform', 'uniform numbers in [0, 1) of a Philox stream');
export const philoxNormalKernel = fillKernel('normal', 'standard normal numbers of a Philox stream');
