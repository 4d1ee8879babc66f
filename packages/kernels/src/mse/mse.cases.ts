import { defineKernel, type KernelCase, type Random } from '../kernel-spec.js';
import { product } from '../runtime/gpu-array.js';
import {
  gatherRows,
  randomTokenRows,
  scatterRows,
  tokenLayout,
  tokenRowsShape,
  tokenShape,
  viewTokens,
  type TokenRows,
} from '../testing/views.js';
import { mse, mseBackward, mseBackwardCost, mseBackwardVariants, mseCost, mseVariants } from './mse.js';
import { mseBackwardReference, mseReference } from './mse.reference.js';

/** The prediction is a view of a token buffer, the target packed. */
interface MseShape extends TokenRows {
  /** Backward only: multiply by a factor on the GPU. */
  readonly scaled?: boolean;
}

const cases: readonly KernelCase<MseShape>[] = [
  {
    name: 'tiny',
    kind: 'tiny',
    shape: { batch: 1, regions: 1, tokens: 4, columns: 3, view: 'locals', scaled: true },
  },
  {
    name: 'one element',
    kind: 'edge',
    shape: { batch: 1, regions: 1, tokens: 1, columns: 1, view: 'all' },
  },
  {
    name: 'packed, the last part short',
    kind: 'edge',
    shape: { batch: 1, regions: 1, tokens: 91, columns: 101, view: 'all' },
  },
  {
    name: 'strided, an odd width',
    kind: 'edge',
    shape: { batch: 2, regions: 3, tokens: 28, columns: 201, view: 'locals', scaled: true },
  },
  {
    name: 'a million elements',
    kind: 'model',
    shape: { batch: 1, regions: 1, tokens: 720, columns: 1536, view: 'all' },
  },
];

function randomShape(random: Random): MseShape {
  return { ...randomTokenRows(random), scaled: random.integer(2) === 1 };
}

function inputs(shape: MseShape) {
  return { prediction: { shape: tokenShape(shape) }, target: { shape: tokenRowsShape(shape) } };
}

export const mseKernel = defineKernel<MseShape>({
  name: 'mse',
  summary: 'mean of (p − t)² over all elements',
  variants: mseVariants,
  cases,
  randomShape,
  inputs,
  outputs: () => ({ loss: { shape: [1] } }),
  run: (runtime, shape, { prediction, target }, { loss }) =>
    mse(runtime, { prediction: viewTokens(prediction!, shape), target: target!, loss: loss! }),
  reference: (shape, { prediction, target }) => ({
    loss: mseReference(gatherRows(prediction!, tokenLayout(shape)), target!),
  }),
  referenceBackward: (shape, { prediction, target }, { loss }) => {
    const layout = tokenLayout(shape);
    const gradient = mseBackwardReference(gatherRows(prediction!, layout), target!, loss![0]!);
    return {
      prediction: scatterRows(new Float64Array(prediction!.length), layout, gradient),
      target: gradient.map((value) => -value),
    };
  },
  cost: (shape) => mseCost(product(tokenRowsShape(shape))),
  tolerance: 1e-6,
});

// Multiplied by the number of terms, so that gradients have a size that the tolerance can judge.
function gradientScale(shape: MseShape): number {
  return shape.scaled ? product(tokenRowsShape(shape)) * 0.75 : 1;
}

export const mseBackwardKernel = defineKernel<MseShape>({
  name: 'mse-backward',
  summary: 'dPrediction = 2 · (p − t) / count · gradientScale',
  variants: mseBackwardVariants,
  cases,
  randomShape,
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
    mseBackward(runtime, {
      prediction: viewTokens(prediction!, shape),
      target: target!,
      dPrediction: viewTokens(dPrediction!, shape),
      gradientScale: scale,
    }),
  reference: (shape, { prediction, target, dPrediction }) => {
    const layout = tokenLayout(shape);
    const gradient = mseBackwardReference(gatherRows(prediction!, layout), target!, gradientScale(shape));
    return { dPrediction: scatterRows(dPrediction!, layout, gradient) };
  },
  cost: (shape) => mseBackwardCost(product(tokenRowsShape(shape))),
  tolerance: 1e-6,
});
