import { copyOf, f32, GpuArray, stridedMap, type DType } from '@tubelet/kernels';
import type { Tensor } from '../engine/tensor.js';
import { axisOf } from './axes.js';
import { addGradient } from './pointwise.js';

/** The axes in another order: axis i of the result is axis `order[i]` of x, which is copied. */
export function permute(x: Tensor, order: readonly number[]): Tensor {
  const axes = order.map((axis) => axisOf('permute', x, axis));
  if (axes.length !== x.shape.length || new Set(axes).size !== axes.length) {
    throw new RangeError(
      `permute: [${order.join(', ')}] is not an order of the axes of ${x}; name each of them once`,
    );
  }
  const view = ({ storage, dtype, shape, strides, offset }: GpuArray) =>
    new GpuArray(
      storage,
      dtype,
      axes.map((axis) => shape[axis]!),
      axes.map((axis) => strides[axis]!),
      offset,
    );
  return copyOfView('permute', x, view, { isWhole: true });
}

/** Two axes exchanged, the last two by default. */
export function transpose(x: Tensor, first = -2, second = -1): Tensor {
  const order = x.shape.map((_, axis) => axis);
  const [a, b] = [axisOf('transpose', x, first), axisOf('transpose', x, second)];
  [order[a], order[b]] = [b, a];
  return permute(x, order);
}

/**
 * Every `step`-th element of one axis from `start` (inclusive) towards `end` (exclusive), backwards for a step below
 * zero. As in Python, negative places count from the end and those beyond it are moved to it.
 *
 * @throws RangeError for a step of zero, for numbers that are not whole, and where nothing is left
 */
export function slice(
  x: Tensor,
  axis: number,
  { start, end, step = 1 }: { readonly start?: number; readonly end?: number; readonly step?: number },
): Tensor {
  const at = axisOf('slice', x, axis);
  const extent = x.shape[at]!;
  if (!Number.isInteger(step) || step === 0) {
    throw new RangeError(`slice: a step of ${step} along axis ${axis} of ${x}; give a whole number but 0`);
  }
  for (const [name, place] of Object.entries({ start, end })) {
    if (place === undefined || Number.isInteger(place)) continue;
    throw new RangeError(`slice: ${name} is ${place} along axis ${axis} of ${x}; give a whole number`);
  }
  const [least, most] = step > 0 ? [0, extent] : [-1, extent - 1];
  const inside = (place: number) => Math.max(least, Math.min(most, place < 0 ? place + extent : place));
  const from = start === undefined ? (step > 0 ? least : most) : inside(start);
  const to = end === undefined ? (step > 0 ? most : least) : inside(end);
  const count = Math.ceil((to - from) / step);
  if (!(count > 0)) {
    throw new RangeError(
      `slice: nothing from ${start} to ${end} at steps of ${step} along axis ${axis} of ${x}`,
    );
  }
  const view = (array: GpuArray) => part(array, at, from, count, step);
  return copyOfView('slice', x, view, { isWhole: count === extent });
}

/** Tensors one after the other along an axis, in which alone they may differ. */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  const [first] = tensors;
  if (!first) throw new RangeError('concat: give at least one tensor');
  const { engine } = first;
  const { runtime } = engine;
  const at = axisOf('concat', first, axis);
  for (const { shape, dtype } of tensors) {
    const fits = shape.length === first.shape.length && dtype === first.dtype;
    if (!fits || shape.some((extent, i) => i !== at && extent !== first.shape[i])) {
      throw new RangeError(`concat: ${tensors.join(' and ')} differ in more than axis ${axis}`);
    }
  }
  const shape = [...first.shape];
  shape[at] = tensors.reduce((total, tensor) => total + tensor.shape[at]!, 0);
  const out = engine.empty(shape, first.dtype, 'concat');
  let start = 0;
  const places = tensors.map((tensor) => {
    const place = { tensor, start };
    start += tensor.shape[at]!;
    return place;
  });
  const partOf = (array: GpuArray, { tensor, start: from }: (typeof places)[number]) =>
    part(array, at, from, tensor.shape[at]!, 1);
  for (const place of places) {
    stridedMap(runtime, { ...copyOf(place.tensor.array), out: partOf(out, place) });
  }
  const y = engine.output(out, tensors, 'concat');
  if (!y.requiresGrad) return y;
  engine.record({
    name: 'concat',
    inputs: tensors,
    outputs: [y],
    saved: [],
    backward: (gradients) => {
      for (const place of places) {
        if (!place.tensor.requiresGrad) continue;
        addGradient(gradients, place.tensor, place.tensor.shape, copyOf(partOf(gradients.of(y), place)));
      }
    },
  });
  return y;
}

/**
 * x with so many elements of `value` (default 0) before and after it along each axis, first to last.
 *
 * @throws RangeError for widths that do not fit the axes, and for a value that elements of x cannot have
 */
export function pad(
  x: Tensor,
  widths: readonly (readonly [before: number, after: number])[],
  { value = 0 }: { readonly value?: number } = {},
): Tensor {
  const { engine } = x;
  if (
    widths.length !== x.shape.length ||
    widths.flat().some((width) => !Number.isInteger(width) || width < 0)
  ) {
    throw new RangeError(
      `pad: widths ${JSON.stringify(widths)} for ${x}; give two whole numbers of at least 0 for each axis`,
    );
  }
  requirePadding(x, value);
  const inner = (array: GpuArray) =>
    widths.reduce((view, [before], axis) => part(view, axis, before, x.shape[axis]!, 1), array);
  const shape = x.shape.map((extent, axis) => extent + widths[axis]![0] + widths[axis]![1]);
  const out = engine.empty(shape, x.dtype, 'pad');
  fillWith(x, out, value);
  stridedMap(engine.runtime, {
    ...copyOf(x.array),
    out: inner(out),
  });
  const y = engine.output(out, [x], 'pad');
  if (!y.requiresGrad) return y;
  engine.record({
    name: 'pad',
    inputs: [x],
    outputs: [y],
    saved: [],
    backward: (gradients) => {
      addGradient(gradients, x, x.shape, copyOf(inner(gradients.of(y))));
    },
  });
  return y;
}

/** x repeated along its axes of extent 1, and new leading ones, up to `shape`. */
export function expand(x: Tensor, shape: readonly number[]): Tensor {
  const { engine } = x;
  const out = engine.empty(shape, x.dtype, 'expand');
  stridedMap(engine.runtime, { ...copyOf(x.array), out });
  const y = engine.output(out, [x], 'expand');
  if (!y.requiresGrad) return y;
  engine.record({
    name: 'expand',
    inputs: [x],
    outputs: [y],
    saved: [],
    backward: (gradients) => addGradient(gradients, x, y.shape, copyOf(gradients.of(y))),
  });
  return y;
}

/** How patches are taken along each of the last axes. */
export interface PatchOptions {
  readonly size: readonly number[];
  /** Distance between neighbouring patches; default 1. */
  readonly stride?: readonly number[];
  /** Distance between neighbouring elements of a patch; default 1. */
  readonly dilation?: readonly number[];
}

/**
 * The patches of the last axes of x, which may overlap: x [..., C, H, W] and a size [h, w] give [..., H′, W′, C, h, w],
 * where H′ and W′ count the places of a patch.
 *
 * @throws RangeError where none fits
 */
export function patches(x: Tensor, { size, stride, dilation }: PatchOptions): Tensor {
  const { engine } = x;
  const leading = x.shape.length - size.length;
  if (leading < 1)
    throw new RangeError(`patches: ${x} has no axis before the last ${size.length}, of the channels`);
  const axes = size.map((extent, i) => {
    const [step, spread] = [stride?.[i] ?? 1, dilation?.[i] ?? 1];
    const whole = x.shape[leading + i] ?? 0;
    const count = Math.floor((whole - (extent - 1) * spread - 1) / step) + 1;
    if (!(count >= 1) || [extent, step, spread].some((number) => !Number.isInteger(number) || number < 1)) {
      throw new RangeError(
        `patches: a size of [${size.join(', ')}] at steps of ${step} does not fit into ${x}`,
      );
    }
    return { extent, step, spread, count };
  });
  const view = ({ storage, dtype, shape, strides, offset }: GpuArray) =>
    new GpuArray(
      storage,
      dtype,
      [...shape.slice(0, leading - 1), ...axes.map(({ count }) => count), shape[leading - 1]!, ...size],
      [
        ...strides.slice(0, leading - 1),
        ...axes.map(({ step }, i) => step * strides[leading + i]!),
        strides[leading - 1]!,
        ...axes.map(({ spread }, i) => spread * strides[leading + i]!),
      ],
      offset,
    );
  const source = view(x.array);
  const out = engine.empty(source.shape, x.dtype, 'patches');
  stridedMap(engine.runtime, { ...copyOf(source), out });
  const y = engine.output(out, [x], 'patches');
  if (!y.requiresGrad) return y;
  engine.record({
    name: 'patches',
    inputs: [x],
    outputs: [y],
    saved: [],
    backward: (gradients) => {
      const { array, accumulate } = gradients.target(x);
      if (!accumulate) fillWith(x, array, 0);
      // Patches overlap, but the elements at one place of all patches do not: they are added one place after the other.
      const places = size.reduce((product, extent) => product * extent, 1);
      const target = view(array);
      const dy = gradients.of(y);
      for (let place = 0; place < places; place++) {
        const at = (of: GpuArray) => elementOfPatches(of, size, place);
        stridedMap(engine.runtime, { ...copyOf(at(dy)), out: at(target), accumulate: true });
      }
    },
  });
  return y;
}

function elementOfPatches(array: GpuArray, size: readonly number[], place: number): GpuArray {
  let rest = place;
  let view = array;
  for (let i = size.length - 1; i >= 0; i--) {
    view = part(view, array.shape.length - size.length + i, rest % size[i]!, 1, 1);
    rest = Math.floor(rest / size[i]!);
  }
  return view;
}

/** A copy of the elements that `view` sees of x, none of them twice. */
function copyOfView(
  name: string,
  x: Tensor,
  view: (array: GpuArray) => GpuArray,
  { isWhole }: { readonly isWhole: boolean },
): Tensor {
  const { engine } = x;
  const source = view(x.array);
  const out = engine.empty(source.shape, x.dtype, name);
  stridedMap(engine.runtime, { ...copyOf(source), out });
  const y = engine.output(out, [x], name);
  if (!y.requiresGrad) return y;
  engine.record({
    name,
    inputs: [x],
    outputs: [y],
    saved: [],
    backward: (gradients) => {
      const { array, accumulate } = gradients.target(x);
      if (!accumulate && !isWhole) fillWith(x, array, 0);
      stridedMap(engine.runtime, {
        ...copyOf(gradients.of(y)),
        out: view(array),
        accumulate: accumulate || !isWhole,
      });
    },
  });
  return y;
}

/** Every `step`-th of `count` elements of one axis from `start` on. */
function part(array: GpuArray, axis: number, start: number, count: number, step: number): GpuArray {
  const { storage, dtype, shape, strides, offset } = array;
  return new GpuArray(
    storage,
    dtype,
    shape.map((extent, i) => (i === axis ? count : extent)),
    strides.map((stride, i) => (i === axis ? stride * step : stride)),
    offset + start * strides[axis]!,
  );
}

const INTEGER_RANGES: Readonly<Partial<Record<DType, readonly [least: number, most: number]>>> = {
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
};

function requirePadding(x: Tensor, value: number): void {
  const range = INTEGER_RANGES[x.dtype];
  const [least, most] = range ?? [-Infinity, Infinity];
  const fits = range ? Number.isInteger(value) : Number.isFinite(Math.fround(value));
  if (fits && value >= least && value <= most) return;
  const expected = range ? `a whole number from ${least} to ${most}` : 'a finite number of f32';
  throw new RangeError(`pad: value is ${value} for ${x}; give ${expected}`);
}

function fillWith({ engine: { runtime } }: Tensor, out: GpuArray, value: number): void {
  stridedMap(runtime, {
    kernel: 'fill-strided',
    inputs: {},
    value: 'FILL_VALUE',
    // What is no real number travels as u32, whose bits are those of i32.
    data: { FILL_VALUE: INTEGER_RANGES[out.dtype] ? value >>> 0 : f32(value) },
    out,
  });
}
