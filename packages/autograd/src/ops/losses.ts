import {
  softCrossEntropy as softCrossEntropyKernel,
  softCrossEntropyBackward,
  twoPartLoss,
  twoPartLossBackward,
  type GpuArray,
} from '@tubelet/kernels';
import type { Tensor } from '../engine/tensor.js';
import { mul, sub } from './arithmetic.js';
import { mean } from './reductions.js';

/** A loss to differentiate, and the values it is made of. */
export interface WeightedLoss {
  /** One element. */
  readonly loss: Tensor;
  /** [3]: total, first half (appearance), second half (motion). */
  readonly parts: GpuArray;
}

/**
 * λ · MSE(first half of the columns) + (1 − λ) · MSE(second half): the loss of MAE-DFER, whose first half is
 * the appearance and second half the motion target. prediction [..., 2·H], target of the same size.
 */
export function twoPartSquareError(
  prediction: Tensor,
  target: GpuArray,
  { appearanceWeight = 0.5 } = {},
): WeightedLoss {
  const { engine } = prediction;
  const { runtime } = engine;
  const columns = prediction.extent(-1);
  const asRows = (array: GpuArray) => array.reshape([array.size / columns, columns]);
  const parts = engine.empty([3], 'f32', 'loss');
  const operands = { prediction: asRows(prediction.array), target: asRows(target), appearanceWeight };
  twoPartLoss(runtime, { ...operands, loss: parts });
  const loss = engine.output(parts.slice(0, 0, 1), [prediction], 'two-part square error');
  if (loss.requiresGrad) {
    engine.record({
      name: 'two-part-square-error',
      inputs: [prediction],
      outputs: [loss],
      saved: [],
      backward: (gradients) =>
        gradients.overwrite(prediction, (array) =>
          twoPartLossBackward(runtime, {
            ...operands,
            gradientScale: gradients.of(loss),
            dPrediction: asRows(array),
          }),
        ),
    });
  }
  return { loss, parts };
}

/** The mean of (prediction − target)² over all elements; shapes broadcast. */
export function meanSquareError(prediction: Tensor, target: Tensor): Tensor {
  const error = sub(prediction, target);
  return mean(mul(error, error));
}

/**
 * −1/B Σ_b Σ_k y[b,k] · log softmax(logits[b])[k] for soft labels (label smoothing, mixup).
 * logits [B, K], targets [B, K].
 */
export function softCrossEntropy(logits: Tensor, targets: GpuArray): Tensor {
  const { engine } = logits;
  const { runtime } = engine;
  const value = engine.empty([1], 'f32', 'loss');
  softCrossEntropyKernel(runtime, { logits: logits.array, targets, loss: value });
  const loss = engine.output(value, [logits], 'cross-entropy');
  if (loss.requiresGrad) {
    engine.record({
      name: 'soft-cross-entropy',
      inputs: [logits],
      outputs: [loss],
      saved: [],
      backward: (gradients) =>
        gradients.overwrite(logits, (dLogits) =>
          softCrossEntropyBackward(runtime, {
            logits: logits.array,
            targets,
            gradientScale: gradients.of(loss),
            dLogits,
          }),
        ),
    });
  }
  return loss;
}
