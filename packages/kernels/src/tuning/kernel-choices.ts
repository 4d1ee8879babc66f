import { attention, attentionVariants } from '../attention/attention.js';
import { attentionBackward, attentionBackwardVariants } from '../attention-backward/attention-backward.js';
import {
  crossEntropyVariants,
  softCrossEntropy,
  softCrossEntropyBackward,
} from '../cross-entropy/cross-entropy.js';
import { layerNormBackward } from '../layer-norm/layer-norm-backward.js';
import { layerNorm, layerNormVariants } from '../layer-norm/layer-norm.js';
import { matmul, matmulVariants } from '../matmul/matmul.js';
import { twoPartLoss, twoPartLossVariants } from '../masked-video/two-part-loss/two-part-loss.js';
import { mse, mseVariants } from '../mse/mse.js';
import { sumAll } from '../reduce/sum-all.js';
import { workgroupSumVariants } from '../reduce/workgroup-sum.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Variant } from '../runtime/variants.js';

/** A kernel of several variants, among which a device has a choice. */
export interface KernelChoice {
  readonly kernel: string;
  readonly variants: readonly Variant[];
  /**
   * Runs the kernel in the forms that models use, on arrays that nobody looks at: on a runtime that computes nothing, to
   * learn which programs it is made of.
   */
  sample(paper: Runtime): void;
}

type Make = (...shape: number[]) => GpuArray;
const samples = (run: (paper: Runtime, make: Make) => void) => (paper: Runtime) =>
  paper.scope(() => run(paper, (...shape) => paper.empty(shape)));

/** Rows and columns of a block's input, at the size of the base model: what is asked for is the form, not the size. */
const [ROWS, WIDTH, HIDDEN] = [808, 512, 2048];
const [HEADS, TOKENS] = [8, 101];

/** Every kernel that has more than one variant. */
export const kernelChoices: readonly KernelChoice[] = [
  {
    kernel: 'attention',
    variants: attentionVariants,
    sample: samples((paper, make) => {
      const tokens = () => make(HEADS, TOKENS, WIDTH);
      const [q, k, v, out] = [tokens(), tokens(), tokens(), tokens()];
      attention(paper, { q, k, v, out, logSumExp: make(HEADS, HEADS, TOKENS), heads: HEADS });
    }),
  },
  {
    kernel: 'attention-backward',
    variants: attentionBackwardVariants,
    sample: samples((paper, make) => {
      const tokens = () => make(HEADS, TOKENS, WIDTH);
      const [q, k, v, out, dOut] = [tokens(), tokens(), tokens(), tokens(), tokens()];
      const [dq, dk, dv, logSumExp] = [tokens(), tokens(), tokens(), make(HEADS, HEADS, TOKENS)];
      attentionBackward(paper, { q, k, v, out, logSumExp, dOut, dq, dk, dv, heads: HEADS });
    }),
  },
  {
    kernel: 'matmul',
    variants: matmulVariants,
    sample: samples((paper, make) => {
      const [x, hidden, preActivation] = [make(ROWS, WIDTH), make(ROWS, HIDDEN), make(ROWS, HIDDEN)];
      const [weight, bias] = [make(HIDDEN, WIDTH), make(HIDDEN)];
      const [narrow, few] = [make(8, WIDTH), make(8, HIDDEN)];
      const forward = { b: weight, transposeB: true, bias };
      matmul(paper, { ...forward, a: x, out: hidden, activation: 'gelu', preActivation });
      matmul(paper, { ...forward, a: narrow, out: few, residual: make(8, HIDDEN) });
      matmul(paper, { a: hidden, b: weight, out: x, accumulate: true });
      const rowSums = { out: make(HIDDEN), accumulate: false };
      matmul(paper, { a: hidden, transposeA: true, b: x, out: weight, accumulate: false, rowSums });
    }),
  },
  {
    kernel: 'cross-entropy',
    variants: crossEntropyVariants,
    sample: samples((paper, make) =>
      softCrossEntropy(paper, { logits: make(32, 7), targets: make(32, 7), loss: make(1) }),
    ),
  },
  {
    kernel: 'cross-entropy-backward',
    variants: crossEntropyVariants,
    sample: samples((paper, make) =>
      softCrossEntropyBackward(paper, { logits: make(32, 7), targets: make(32, 7), dLogits: make(32, 7) }),
    ),
  },
  {
    kernel: 'layer-norm',
    variants: layerNormVariants,
    sample: samples((paper, make) => {
      const [x, out, mean, rstd] = [make(ROWS, WIDTH), make(ROWS, WIDTH), make(ROWS), make(ROWS)];
      layerNorm(paper, { x, weight: make(WIDTH), bias: make(WIDTH), out, mean, rstd });
    }),
  },
  {
    kernel: 'layer-norm-backward',
    variants: layerNormVariants,
    sample: samples((paper, make) => {
      const [x, dOut, dx] = [make(ROWS, WIDTH), make(ROWS, WIDTH), make(ROWS, WIDTH)];
      const [weight, dWeight, dBias] = [make(WIDTH), make(WIDTH), make(WIDTH)];
      const [mean, rstd] = [make(ROWS), make(ROWS)];
      layerNormBackward(paper, { x, dOut, dx, weight, dWeight, dBias, mean, rstd });
      layerNormBackward(paper, {
        ...{ x, dOut, dx, weight, dWeight, dBias, mean, rstd },
        accumulateDx: true,
        accumulateParameters: true,
      });
    }),
  },
  {
    kernel: 'mse',
    variants: mseVariants,
    sample: samples((paper, make) =>
      mse(paper, { prediction: make(720, 1536), target: make(720, 1536), loss: make(1) }),
    ),
  },
  {
    kernel: 'two-part-loss',
    variants: twoPartLossVariants,
    sample: samples((paper, make) => {
      const [prediction, target] = [make(720, 1536), make(720, 1536)];
      twoPartLoss(paper, { prediction, target, loss: make(3), appearanceWeight: 0.5 });
    }),
  },
  {
    kernel: 'sum-all',
    variants: workgroupSumVariants,
    sample: samples((paper, make) => sumAll(paper, { x: make(720, 1536), out: make(1) })),
  },
];
