import { stridedMap } from '@tubelet/kernels';
import type { Tensor } from '../engine/tensor.js';
import { softplus } from './activations.js';
import { div, mul, neg, sub } from './arithmetic.js';
import { axisOf } from './axes.js';
import { where } from './comparisons.js';
import { gather, takeAlong } from './gather.js';
import { mean, sum } from './reductions.js';
import { logSoftmax } from './softmax.js';
import { reshape } from './views.js';

/** What becomes of the losses of single samples. */
export type LossReduction = 'mean' | 'sum' | 'none';

/** Where classes lie, how much each counts, and what becomes of the losses. */
export interface CrossEntropyOptions {
  /** Of the classes; default the last. */
  readonly axis?: number;
  /** [K]: a factor for each class; the mean is then divided by the sum of those used. */
  readonly weights?: Tensor;
  /** Samples with this label do not count. */
  readonly ignoreIndex?: number;
  readonly reduction?: LossReduction;
}

/**
 * −log softmax(logits)[label], averaged over all samples. logits [..., K, ...], labels of i32 with the same shape
 * without the axis of the classes. A label that is not a class, as one below zero, gives a loss that is not a number.
 */
export function crossEntropy(logits: Tensor, labels: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const { axis = -1, weights, ignoreIndex, reduction = 'mean' } = options;
  const at = axisOf('crossEntropy', logits, axis);
  const expected = logits.shape.filter((_, i) => i !== at);
  if (labels.shape.join() !== expected.join()) {
    throw new RangeError(
      `crossEntropy: logits ${logits} with classes along axis ${axis} need labels [${expected.join(', ')}], got ${labels}`,
    );
  }
  const ids = reshape(labels, [...labels.shape.slice(0, at), 1, ...labels.shape.slice(at)]);
  const chosen = takeAlong(logSoftmax(logits, { axis: at }), ids, { axis: at, fromEnd: false });
  let losses = reshape(neg(chosen), labels.shape);
  let counted = weights && gather(weights, labels, { fromEnd: false });
  if (counted) losses = mul(losses, counted);
  if (ignoreIndex !== undefined) {
    const counts = differsFrom(labels, ignoreIndex);
    losses = where(counts, losses, 0);
    counted = counted ? where(counts, counted, 0) : counts;
  }
  if (reduction === 'none') return losses;
  if (reduction === 'sum') return sum(losses);
  return counted ? div(sum(losses), sum(counted)) : mean(losses);
}

/**
 * −t · log σ(x) − (1 − t) · log(1 − σ(x)) of logits x and targets t from 0 to 1 of the same shape, without overflow;
 * averaged over all elements.
 *
 * @throws RangeError for targets of another shape
 */
export function binaryCrossEntropy(
  logits: Tensor,
  targets: Tensor,
  { reduction = 'mean' }: { readonly reduction?: LossReduction } = {},
): Tensor {
  if (targets.shape.join() !== logits.shape.join()) {
    throw new RangeError(
      `binaryCrossEntropy: logits ${logits} need targets of the same shape, got ${targets}; reshape one`,
    );
  }
  const losses = sub(softplus(logits), mul(logits, targets));
  if (reduction === 'none') return losses;
  return reduction === 'sum' ? sum(losses) : mean(losses);
}

/** 1 where labels differ from a number, else 0. */
function differsFrom(labels: Tensor, number: number): Tensor {
  const { engine } = labels;
  const out = engine.empty(labels.shape, 'f32', 'counted');
  stridedMap(engine.runtime, {
    kernel: 'differs-from',
    inputs: { ids: { array: labels.array } },
    value: 'select(0.0, 1.0, bitcast<u32>(ids) != NUMBER)',
    data: { NUMBER: number >>> 0 },
    out,
  });
  return engine.output(out, [], 'counted');
}
