import { GpuArray, stridedMap, stridedReduce } from '@tubelet/kernels';
import type { Tensor } from '../engine/tensor.js';
import { axisOf } from './axes.js';
import { requireF32 } from './pointwise.js';

/*
 * Elements by their indices, which are i32 tensors; negative ones count from the end. What an index beyond the end asks for
 * is not a number, as the GPU cannot throw.
 */

/** A looked-up index counted from the start. */
const INDEX = '(i32(ids) + select(0, i32(EXTENT), i32(ids) < 0))';

/** Along which axis elements are looked up, and how. */
export interface LookUpOptions {
  /** Negative ones count from the last. */
  readonly axis?: number;
  /** Whether negative indices count from the end; else there is nothing at them. Default true. */
  readonly fromEnd?: boolean;
}

/**
 * x[..., ids, ...]: the axis, by default the first, is replaced by all axes of `ids`. x [..., V, ...], ids [I...] →
 * [..., I..., ...].
 */
export function gather(x: Tensor, ids: Tensor, { axis = 0, fromEnd = true }: LookUpOptions = {}): Tensor {
  const at = axisOf('gather', x, axis);
  const ones = (count: number) => new Array<number>(count).fill(1);
  const shape = [...ones(at), ...ids.shape, ...ones(x.shape.length - at - 1)];
  const index = requireIntegers('gather', ids).reshape(shape);
  return lookUp('gather', { x, axis: at, ids, index, fromEnd });
}

/** Rows of a table by their ids, which may repeat: table [V, C], ids [I...] → [I..., C]. */
export function embedding(table: Tensor, ids: Tensor): Tensor {
  if (table.shape.length !== 2) throw new RangeError(`embedding: the table must be [V, C], got ${table}`);
  return gather(table, ids);
}

/**
 * One element of x along an axis, by default the last, for each index: y[i, j, k] = x[i, ids[i, j, k], k] for axis 1. `ids`
 * has the extents of x in all other axes.
 */
export function takeAlong(x: Tensor, ids: Tensor, { axis = -1, fromEnd = true }: LookUpOptions = {}): Tensor {
  const at = axisOf('takeAlong', x, axis);
  const fits =
    ids.shape.length === x.shape.length && ids.shape.every((extent, i) => i === at || extent === x.shape[i]);
  if (!fits) throw new RangeError(`takeAlong: ${x} and ids ${ids} differ in more than axis ${axis}`);
  return lookUp('takeAlong', { x, axis: at, ids, index: requireIntegers('takeAlong', ids), fromEnd });
}

/** 1 at the index and 0 elsewhere, along a new last axis: ids [I...] → [I..., classes], f32. */
export function oneHot(ids: Tensor, classes: number): Tensor {
  const { engine } = ids;
  const array = requireIntegers('oneHot', ids);
  const out = engine.empty([...ids.shape, classes], 'f32', 'one-hot');
  stridedMap(engine.runtime, {
    kernel: 'one-hot',
    inputs: { ids: { array: array.reshape([...ids.shape, 1]) } },
    value: `select(0.0, 1.0, ${INDEX} == i32(place % EXTENT))`,
    data: { EXTENT: classes },
    out,
  });
  return engine.output(out, [], 'one-hot');
}

function requireIntegers(operation: string, ids: Tensor): GpuArray {
  if ((ids.dtype !== 'i32' && ids.dtype !== 'u32') || !ids.array.isContiguous) {
    throw new RangeError(
      `${operation}: indices must be contiguous and i32 or u32, got ${ids}; upload an Int32Array`,
    );
  }
  return ids.array;
}

interface LookUp extends Required<LookUpOptions> {
  readonly x: Tensor;
  readonly ids: Tensor;
  /** The array of `ids` as [outer or 1..., J..., inner or 1...], which has axes J in the place of `axis`. */
  readonly index: GpuArray;
}

function lookUp(name: string, { x, axis, ids, index, fromEnd }: LookUp): Tensor {
  requireF32(name, x);
  const found = fromEnd ? INDEX : 'i32(ids)';
  const isInside = `${found} >= 0 && ${found} < i32(EXTENT)`;
  const { engine } = x;
  const { runtime } = engine;
  const axes = index.shape.length - x.shape.length + 1;
  const picked = index.shape.slice(axis, axis + axes);
  const [outer, inner] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const extent = x.shape[axis]!;
  const out = engine.empty([...outer, ...picked, ...inner], 'f32', name);
  const { strides, offset } = x.array;
  const source = new GpuArray(
    x.array.storage,
    'f32',
    out.shape,
    [...strides.slice(0, axis), ...picked.map(() => 0), ...strides.slice(axis + 1)],
    offset,
  );
  stridedMap(runtime, {
    kernel: name,
    inputs: { x: { array: source, as: 'array' }, ids: { array: index } },
    value: `select(bitcast<f32>(NOT_A_NUMBER), x[x_at + u32(clamp(${found}, 0, i32(EXTENT) - 1)) * STEP], ${isInside})`,
    data: { EXTENT: extent, STEP: strides[axis]!, NOT_A_NUMBER: 0x7fc00000 },
    out,
  });
  const y = engine.output(out, [x], name);
  if (!y.requiresGrad) return y;
  engine.record({
    name,
    inputs: [x, ids],
    outputs: [y],
    saved: [],
    backward: (gradients) => {
      // Every element of x adds up the gradients at its own index, in their order.
      const one = <T>(values: readonly T[], fill: T) => [
        ...values.slice(0, axis + axes),
        fill,
        ...values.slice(axis + axes),
      ];
      const withAxis = ({ storage, dtype, shape, strides: own, offset: start }: GpuArray) =>
        new GpuArray(storage, dtype, one(shape, 1), one(own, 0), start);
      const places = runtime.empty(
        one(
          out.shape.map(() => 1),
          extent,
        ),
        'i32',
        'places',
      );
      stridedMap(runtime, { kernel: 'places', inputs: {}, value: 'place', out: places });
      const { array, accumulate } = gradients.target(x);
      const target = new GpuArray(
        array.storage,
        'f32',
        [...outer, ...picked.map(() => 1), extent, ...inner],
        [...array.strides.slice(0, axis), ...picked.map(() => 0), ...array.strides.slice(axis)],
        array.offset,
      );
      stridedReduce(runtime, {
        kernel: `${name}-backward`,
        combination: 'sum',
        inputs: {
          dy: { array: withAxis(gradients.of(y)) },
          ids: { array: withAxis(index) },
          own: { array: places },
        },
        value: `select(0.0, dy, ${found} == own)`,
        data: { EXTENT: extent },
        out: target,
        accumulate,
      });
      runtime.release(places);
    },
  });
  return y;
}
