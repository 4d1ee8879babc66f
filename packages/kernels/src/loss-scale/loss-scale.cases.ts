import { defineKernel, type KernelCase } from '../kernel-spec.js';
import {
  LOSS_SCALE_STATE,
  lossScaleCost,
  lossScaleCotangentCost,
  lossScaleCotangentVariants,
  lossScaleVariants,
  scaledCotangent,
  updateLossScale,
} from './loss-scale.js';
import {
  lossScaleCotangentReference,
  lossScaleReference,
  type LossScaleRules,
} from './loss-scale.reference.js';

interface LossScaleShape extends Partial<LossScaleRules> {
  readonly scale: number;
  readonly good?: number;
  readonly taken?: number;
  readonly skipped?: number;
  /** Of the scaled gradients. */
  readonly norm: number;
  readonly nonFinite?: number;
}

const rulesOf = (shape: LossScaleShape): LossScaleRules => ({
  beta1: 0.9,
  beta2: 0.999,
  growthInterval: 2000,
  maxNorm: 0,
  isConstant: false,
  ...shape,
});

const cases: readonly KernelCase<LossScaleShape>[] = [
  {
    name: 'a good step',
    kind: 'model',
    shape: { scale: 65536, good: 7, taken: 12_345, skipped: 2, norm: 4e4 },
  },
  { name: 'the first step', kind: 'edge', shape: { scale: 65536, norm: 100 } },
  { name: 'overflow', kind: 'edge', shape: { scale: 65536, good: 9, taken: 10, norm: 3e8, nonFinite: 4 } },
  { name: 'growth', kind: 'edge', shape: { scale: 1024, good: 1999, taken: 1999, norm: 1 } },
  { name: 'one short of growth', kind: 'edge', shape: { scale: 1024, good: 1998, taken: 1999, norm: 1 } },
  { name: 'clipped', kind: 'edge', shape: { scale: 256, good: 1, taken: 77, norm: 256 * 8, maxNorm: 0.5 } },
  { name: 'within the limit', kind: 'edge', shape: { scale: 256, taken: 1, norm: 64, maxNorm: 0.5 } },
  {
    name: 'the largest scale',
    kind: 'edge',
    shape: { scale: 2 ** 127, taken: 5, norm: 2 ** 120, growthInterval: 1 },
  },
  {
    name: 'the smallest scale',
    kind: 'edge',
    shape: { scale: 2 ** -126, taken: 5, norm: 2 ** -120, nonFinite: 1 },
  },
  {
    name: 'overflow of a constant scale',
    kind: 'edge',
    shape: { scale: 1, good: 9, taken: 9, norm: 3, nonFinite: 1, isConstant: true },
  },
  {
    name: 'no growth of a constant scale',
    kind: 'edge',
    shape: { scale: 1, good: 1999, taken: 1999, norm: 3, maxNorm: 0.5, isConstant: true },
  },
  {
    name: 'many steps',
    kind: 'edge',
    shape: { scale: 1, taken: 3_000_001, norm: 1, beta1: 0, beta2: 0.9999 },
  },
];

export const lossScaleKernel = defineKernel<LossScaleShape>({
  name: 'loss-scale',
  summary: 'one decision of a dynamic loss scale: take or skip the step, the next scale, bias corrections',
  variants: lossScaleVariants,
  cases,
  randomShape: (random) => ({
    scale: 2 ** random.integer(24),
    good: random.integer(6),
    taken: random.integer(20_000),
    skipped: random.integer(20),
    norm: 1e4 * random.uniform(),
    nonFinite: random.integer(3) === 0 ? 1 + random.integer(100) : 0,
    growthInterval: 6,
    beta1: 0.5 + 0.5 * random.uniform(),
    beta2: 1 - 0.01 * random.uniform() - 1e-4,
    maxNorm: random.integer(2) === 0 ? 0 : random.uniform() + 1e-3,
    isConstant: random.integer(3) === 0,
  }),
  inputs: ({ norm, nonFinite = 0 }) => ({
    norms: { shape: [2], fill: () => Float32Array.of(norm, nonFinite) },
  }),
  outputs: ({ scale, good = 0, taken = 0, skipped = 0 }) => ({
    state: {
      shape: [LOSS_SCALE_STATE],
      initial: () => Float32Array.of(scale, good, taken, skipped, -1, -1),
    },
    step: { shape: [4] },
  }),
  run: (runtime, shape, { norms }, { state, step }) => {
    const { maxNorm, ...rules } = rulesOf(shape);
    updateLossScale(runtime, {
      state: state!,
      norms: norms!,
      step: step!,
      ...rules,
      ...(maxNorm > 0 && { maxNorm }),
    });
  },
  reference: (shape, { norms, state }) => lossScaleReference(state!, norms!, rulesOf(shape)),
  cost: lossScaleCost,
  tolerance: 1e-6,
});

interface CotangentShape {
  readonly loss: number;
  readonly scale: number;
  readonly factor: number;
}

export const lossScaleCotangentKernel = defineKernel<CotangentShape>({
  name: 'loss-scale-cotangent',
  summary: 'gradient that a backward pass begins with: factor · scale, or the loss where it is not finite',
  variants: lossScaleCotangentVariants,
  cases: [
    {
      name: 'one of four accumulated batches',
      kind: 'model',
      shape: { loss: 0.7, scale: 65536, factor: 0.25 },
    },
    { name: 'negative', kind: 'edge', shape: { loss: -3e38, scale: 0.5, factor: -3 } },
  ],
  inputs: ({ loss, scale }) => ({
    loss: { shape: [1], fill: () => Float32Array.of(loss) },
    state: { shape: [LOSS_SCALE_STATE], fill: () => Float32Array.of(scale, 0, 0, 0, 0, 0) },
  }),
  outputs: () => ({ out: { shape: [1] } }),
  run: (runtime, { factor }, { loss, state }, { out }) =>
    scaledCotangent(runtime, { loss: loss!, state: state!, out: out!, factor }),
  reference: ({ factor }, { loss, state }) => ({ out: lossScaleCotangentReference(loss!, state!, factor) }),
  cost: lossScaleCotangentCost,
  tolerance: 0,
});
