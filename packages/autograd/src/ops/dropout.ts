import {
  f32,
  GpuArray,
  philox4x32,
  philoxFunctions,
  philoxKey,
  streamPurpose,
  stridedMap,
  type StridedExpression,
} from '@tubelet/kernels';
import type { Tensor } from '../engine/tensor.js';
import { addGradient, requireF32 } from './pointwise.js';

/** Elements that are dropped. */
export const DROPOUT_PURPOSE = streamPurpose(16);

/** How much is dropped, and what the draws follow from. */
export interface DropoutOptions {
  /** Probability of dropping an element, in [0, 1). */
  readonly rate: number;
  /** Made by `createPhiloxKey`; its epoch must be another one in each step. */
  readonly key: GpuArray;
  /** A u32; dropouts of one step with different numbers draw independently. */
  readonly layer: number;
}

/**
 * x with elements dropped to 0 and the others multiplied by 1 / (1 − rate) (Srivastava et al., 2014). An element draws
 * by its place, row by row, and by `layer`, and the key's seed and epoch; nothing is stored for the backward pass.
 *
 * @throws RangeError for a rate that is not in [0, 1)
 */
export function dropout(x: Tensor, { rate, key, layer }: DropoutOptions): Tensor {
  requireF32('dropout', x);
  if (!(rate >= 0 && rate < 1))
    throw new RangeError(`dropout: the rate is ${rate}; give one of at least 0 and below 1`);
  const { engine } = x;
  const dropped = (array: GpuArray): StridedExpression => ({
    inputs: {
      a: { array },
      key: { array: new GpuArray(key.storage, 'u32', [], [], key.offset), as: 'array' },
    },
    value:
      'select(a * SCALE, 0.0, (philox4x32(vec4u(place / 4u, LAYER, key[key_at + 2u], PURPOSE),' +
      ' vec2u(key[key_at], key[key_at + 1u]))[place % 4u] >> 8u) < THRESHOLD)',
    data: {
      SCALE: f32(1 / (1 - rate)),
      THRESHOLD: thresholdOf(rate),
      LAYER: layer,
      PURPOSE: DROPOUT_PURPOSE,
    },
    functions: philoxFunctions,
  });
  const out = engine.empty(x.shape, 'f32', 'dropout');
  stridedMap(engine.runtime, { kernel: 'dropout', ...dropped(x.array), out });
  const y = engine.output(out, [x], 'dropout');
  if (!y.requiresGrad) return y;
  engine.record({
    name: 'dropout',
    inputs: [x],
    outputs: [y],
    saved: [],
    backward: (gradients) =>
      addGradient(gradients, x, x.shape, { kernel: 'dropout', ...dropped(gradients.of(y)) }),
  });
  return y;
}

/** Whether each of `count` elements, row by row, is kept by the dropout of these numbers. */
export function keptByDropout(
  count: number,
  {
    rate,
    seed,
    epoch,
    layer,
  }: { readonly rate: number; readonly seed: number; readonly epoch: number; readonly layer: number },
): boolean[] {
  return Array.from({ length: count }, (_, place) => {
    const block = philox4x32([Math.floor(place / 4), layer, epoch, DROPOUT_PURPOSE], philoxKey(seed));
    return block[place % 4]! >>> 8 >= thresholdOf(rate);
  });
}

function thresholdOf(rate: number): number {
  return Math.ceil(rate * 2 ** 24);
}
