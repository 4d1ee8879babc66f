import { defineKernel, type KernelCase, type Random } from '../kernel-spec.js';
import { addArrays } from '../testing/views.js';
import {
  crossEntropyBackwardCost,
  crossEntropyCost,
  crossEntropyVariants,
  softCrossEntropy,
  softCrossEntropyBackward,
} from './cross-entropy.js';
import {
  crossEntropyBackwardReference,
  crossEntropyReference,
  softmaxBackwardReference,
  softmaxReference,
} from './cross-entropy.reference.js';

interface CrossEntropyShape {
  readonly rows: number;
  readonly columns: number;
  /** Standard deviation of the logits; default 2. */
  readonly spread?: number;
  /** Backward only: multiply by a factor on the GPU. */
  readonly scale?: number;
}

const cases: readonly KernelCase<CrossEntropyShape>[] = [
  { name: 'tiny', kind: 'tiny', shape: { rows: 3, columns: 4 } },
  { name: 'one class', kind: 'edge', shape: { rows: 1, columns: 1 } },
  { name: 'far apart logits', kind: 'edge', shape: { rows: 9, columns: 101, spread: 300, scale: 3 } },
  { name: 'more classes than invocations', kind: 'edge', shape: { rows: 7, columns: 257 } },
  { name: 'DFEW', kind: 'model', shape: { rows: 32, columns: 7, scale: 1024 } },
  { name: 'MAFW', kind: 'model', shape: { rows: 32, columns: 11 } },
];

function randomShape(random: Random): CrossEntropyShape {
  return { rows: 1 + random.integer(20), columns: 1 + random.integer(40), scale: random.normal() };
}

function inputs({ rows, columns, spread = 2 }: CrossEntropyShape) {
  return {
    logits: {
      shape: [rows, columns],
      fill: (random: Random) => Float32Array.from({ length: rows * columns }, () => spread * random.normal()),
    },
    // Neither one-hot nor of sum 1, so that no term can hide.
    targets: {
      shape: [rows, columns],
      fill: (random: Random) =>
        Float32Array.from({ length: rows * columns }, () => random.uniform() / columns),
    },
  };
}

export const crossEntropyKernel = defineKernel<CrossEntropyShape>({
  name: 'cross-entropy',
  summary: '−1/B · Σ y · log softmax for soft labels',
  variants: crossEntropyVariants,
  cases,
  randomShape,
  inputs,
  outputs: ({ rows, columns }) => ({ loss: { shape: [1] }, probabilities: { shape: [rows, columns] } }),
  run: (runtime, _shape, { logits, targets }, { loss, probabilities }) =>
    softCrossEntropy(runtime, {
      logits: logits!,
      targets: targets!,
      loss: loss!,
      probabilities: probabilities!,
    }),
  reference: ({ columns }, { logits, targets }) => ({
    loss: Float64Array.of(crossEntropyReference(logits!, targets!, columns)),
    probabilities: softmaxReference(logits!, columns),
  }),
  referenceBackward: ({ columns }, { logits, targets }, { loss, probabilities }) => {
    const p = softmaxReference(logits!, columns);
    const fromLoss = crossEntropyBackwardReference(logits!, targets!, columns, loss![0]!);
    return { logits: addArrays(fromLoss, softmaxBackwardReference(p, probabilities!, columns)) };
  },
  cost: ({ rows, columns }) => crossEntropyCost(rows, columns),
  tolerance: 2e-6,
});

export const crossEntropyBackwardKernel = defineKernel<CrossEntropyShape>({
  name: 'cross-entropy-backward',
  summary: 'dLogits = (softmax · Σy − y) / B · gradientScale',
  variants: crossEntropyVariants,
  cases,
  randomShape,
  inputs: (shape) => ({
    ...inputs(shape),
    ...(shape.scale !== undefined && {
      gradientScale: { shape: [1], fill: () => Float32Array.of(Math.fround(shape.scale!)) },
    }),
  }),
  outputs: ({ rows, columns }) => ({ dLogits: { shape: [rows, columns] } }),
  run: (runtime, _shape, { logits, targets, gradientScale }, { dLogits }) =>
    softCrossEntropyBackward(runtime, {
      logits: logits!,
      targets: targets!,
      dLogits: dLogits!,
      gradientScale,
    }),
  reference: ({ columns }, { logits, targets, gradientScale }) => ({
    dLogits: crossEntropyBackwardReference(logits!, targets!, columns, gradientScale?.[0] ?? 1),
  }),
  cost: ({ rows, columns }) => crossEntropyBackwardCost(rows, columns),
  tolerance: 2e-6,
});
