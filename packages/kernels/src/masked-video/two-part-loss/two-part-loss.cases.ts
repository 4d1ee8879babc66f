import { mseBackwardCost } from '../../mse/mse.js';
import { defineKernel, type KernelCase, type Random } from '../../kernel-spec.js';
import { product } from '../../runtime/gpu-array.js';
import {
  gatherRows,
  randomTokenRows,
  scatterRows,
  tokenLayout,
  tokenRowsShape,
  tokenShape,
  viewTokens,
  type TokenRows,
} from '../../testing/views.js';
import {
  twoPartLoss,
  twoPartLossBackward,
  twoPartLossBackwardVariants,
  twoPartLossCost,
  twoPartLossVariants,
} from './two-part-loss.js';
import { twoPartLossGradient, twoPartLossReference } from './two-part-loss.reference.js';

/** The prediction is a view of a token buffer (a decoder's masked tokens), the target packed. */
interface LossShape extends TokenRows {
  readonly appearanceWeight: number;
  /** Backward only: multiply by a factor on the GPU. */
  readonly scaled?: boolean;
}

const cases: readonly KernelCase<LossShape>[] = [
  {
    name: 'tiny',
    kind: 'tiny',
    shape: {
      batch: 1,
      regions: 1,
      tokens: 4,
      columns: 6,
      view: 'locals',
      appearanceWeight: 0.3,
      scaled: true,
    },
  },
  {
    name: 'two columns',
    kind: 'edge',
    shape: { batch: 1, regions: 1, tokens: 1, columns: 2, view: 'all', appearanceWeight: 1 },
  },
  {
    name: 'halves that are not a multiple of 4',
    kind: 'edge',
    shape: {
      batch: 2,
      regions: 1,
      tokens: 28,
      columns: 204,
      view: 'locals',
      appearanceWeight: 0,
      scaled: true,
    },
  },
  {
    name: 'pre-training, one clip',
    kind: 'model',
    shape: { batch: 1, regions: 1, tokens: 721, columns: 1536, view: 'locals', appearanceWeight: 0.5 },
  },
];

function randomShape(random: Random): LossShape {
  const shape = { ...randomTokenRows(random), columns: 2 * (1 + random.integer(80)) };
  return { ...shape, appearanceWeight: random.uniform(), scaled: random.integer(2) === 1 };
}

function inputs(shape: LossShape) {
  return { prediction: { shape: tokenShape(shape) }, target: { shape: tokenRowsShape(shape) } };
}

export const twoPartLossKernel = defineKernel<LossShape>({
  name: 'two-part-loss',
  summary: 'λ · appearance + (1 − λ) · motion, mean squared errors of two column halves',
  variants: twoPartLossVariants,
  cases,
  randomShape,
  withClips: (shape, clips) => ({ ...shape, batch: clips * shape.batch }),
  inputs,
  outputs: () => ({ loss: { shape: [3] } }),
  run: (runtime, shape, { prediction, target }, { loss }) =>
    twoPartLoss(runtime, {
      prediction: viewTokens(prediction!, shape),
      target: target!,
      loss: loss!,
      appearanceWeight: shape.appearanceWeight,
    }),
  reference: (shape, { prediction, target }) => {
    const packed = gatherRows(prediction!, tokenLayout(shape));
    return { loss: twoPartLossReference(packed, target!, shape.columns / 2, shape.appearanceWeight) };
  },
  referenceBackward: (shape, { prediction, target }, { loss }) => {
    const layout = tokenLayout(shape);
    const packed = gatherRows(prediction!, layout);
    const gradient = twoPartLossGradient(packed, target!, shape.columns / 2, shape.appearanceWeight, loss!);
    return {
      prediction: scatterRows(new Float64Array(prediction!.length), layout, gradient),
      target: gradient.map((value) => -value),
    };
  },
  cost: (shape) => twoPartLossCost(product(tokenRowsShape(shape))),
  tolerance: 1e-6,
});

// Multiplied by the number of terms, so that gradients have a size that the tolerance can judge.
function gradientScale(shape: LossShape): number {
  return shape.scaled ? product(tokenRowsShape(shape)) * 0.75 : 1;
}

export const twoPartLossBackwardKernel = defineKernel<LossShape>({
  name: 'two-part-loss-backward',
  summary: 'dPrediction = 2 · w · (p − t) / (rows · half) · gradientScale',
  variants: twoPartLossBackwardVariants,
  cases,
  randomShape,
  withClips: (shape, clips) => ({ ...shape, batch: clips * shape.batch }),
  inputs: (shape) => ({
    ...inputs(shape),
    ...(shape.scaled && { gradientScale: { shape: [1], fill: () => Float32Array.of(gradientScale(shape)) } }),
  }),
  outputs: (shape) => ({
    dPrediction: {
      shape: tokenShape(shape),
      initial: () => new Float32Array(product(tokenShape(shape))).fill(7),
    },
  }),
  run: (runtime, shape, { prediction, target, gradientScale: scale }, { dPrediction }) =>
    twoPartLossBackward(runtime, {
      prediction: viewTokens(prediction!, shape),
      target: target!,
      dPrediction: viewTokens(dPrediction!, shape),
      appearanceWeight: shape.appearanceWeight,
      gradientScale: scale,
    }),
  reference: (shape, { prediction, target, dPrediction }) => {
    const layout = tokenLayout(shape);
    const packed = gatherRows(prediction!, layout);
    const cotangent = [gradientScale(shape)];
    const gradient = twoPartLossGradient(
      packed,
      target!,
      shape.columns / 2,
      shape.appearanceWeight,
      cotangent,
    );
    return { dPrediction: scatterRows(dPrediction!, layout, gradient) };
  },
  cost: (shape) => mseBackwardCost(product(tokenRowsShape(shape))),
  tolerance: 1e-6,
});
