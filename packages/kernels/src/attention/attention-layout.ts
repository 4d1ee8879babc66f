import { ShapeError } from '../runtime/errors.js';
import { elementBytes, type DType, type GpuArray } from '../runtime/gpu-array.js';
import { shapeClass, type ShapeClass } from '../runtime/shape-class.js';
import { f32, type KernelData } from '../runtime/wgsl.js';

// Words of this folder and of attention-backward, in its files and kernels:
//
// query row, key row   one row of q, out and their gradients; one of k, v and theirs
// head dimension       channels of a head, which kernels take by vec4s: four neighbouring channels of a row
// block                the rows, of queries or of keys, that a workgroup produces
// step                 the rows of the other kind that it goes through at a time
// window               an attention of so few keys and queries that one kernel makes all gradients of a head

/** Largest head dimension: a row of a head is held in registers. */
export const MAX_HEAD_DIMENSION = 128;

/** The extents of one attention: `groups` independent ones of `queries` × `keys`, `heads` of `headDimension` each. */
export interface AttentionExtents {
  readonly groups: number;
  readonly queries: number;
  readonly keys: number;
  readonly channels: number;
  readonly heads: number;
  /** Of q, k, v, the result and their gradients; default f32. Statistics and partial sums are f32. */
  readonly dtype?: 'f32' | 'f16';
}

/** [G, L, C] views of one kernel, by what their data begin with: `Q`, `D_OUT`. */
export type AttentionViews = Readonly<Record<string, GpuArray>>;

/** Checks the shapes of q [G, Lq, C] and k, v [G, Lk, C] against each other and against `heads`, and that all are f32 or all f16. */
export function attentionExtents(
  kernel: string,
  q: GpuArray,
  k: GpuArray,
  v: GpuArray,
  heads: number,
): AttentionExtents {
  const dtype = q.dtype === 'f16' ? 'f16' : 'f32';
  for (const [name, array] of Object.entries({ q, k, v })) requireView(kernel, name, array, dtype);
  const [groups, queries, channels] = q.shape as [number, number, number];
  const keys = k.shape[1]!;
  requireShape(kernel, 'k', k, [groups, keys, channels], dtype);
  requireShape(kernel, 'v', v, [groups, keys, channels], dtype);
  if (!Number.isInteger(heads) || heads < 1 || channels % heads !== 0) {
    throw new ShapeError(`${kernel}: ${channels} channels cannot be split into ${heads} heads`);
  }
  if (channels / heads > MAX_HEAD_DIMENSION) {
    throw new ShapeError(
      `${kernel}: a head dimension of ${channels / heads} (${channels} channels, ${heads} heads) exceeds` +
        ` ${MAX_HEAD_DIMENSION}; use more heads`,
    );
  }
  return { groups, queries, keys, channels, heads, dtype };
}

/** What the choice of a variant depends on. */
export function attentionClass({ groups, queries, keys, channels, heads }: AttentionExtents): ShapeClass {
  return shapeClass(0, groups * heads, queries, keys, channels / heads);
}

/** Requires `array` to be a view of exactly this shape and dtype whose last axis is contiguous. */
export function requireShape(
  kernel: string,
  name: string,
  array: GpuArray,
  shape: readonly number[],
  dtype: DType,
): void {
  requireView(kernel, name, array, dtype);
  if (array.shape.length !== shape.length || array.shape.some((extent, axis) => extent !== shape[axis])) {
    throw new ShapeError(`${kernel}: ${name} must be [${shape.join(', ')}], got ${array}`);
  }
}

function requireView(kernel: string, name: string, array: GpuArray, dtype: DType): void {
  if (array.dtype !== dtype || array.shape.length !== 3 || (array.shape[2]! > 1 && array.strides[2] !== 1)) {
    throw new ShapeError(
      `${kernel}: ${name} must be an ${dtype} [G, L, C] view with contiguous channels, got ${array}`,
    );
  }
}

/** Requires [G, H, Lq] statistics to be contiguous, as the kernels address them. */
export function requireStatistics(
  kernel: string,
  name: string,
  array: GpuArray,
  extents: AttentionExtents,
): void {
  requireShape(kernel, name, array, [extents.groups, extents.heads, extents.queries], 'f32');
  if (!array.isContiguous) throw new ShapeError(`${kernel}: ${name} must be contiguous, got ${array}`);
}

/** 4 when every row of every head starts and ends on a multiple of four elements, so that arrays are of vec4; else 1. */
export function elementWidth(extents: AttentionExtents, views: AttentionViews): 1 | 4 {
  if (headDimension(extents) % 4 !== 0) return 1;
  for (const name in views) {
    const { offset, strides } = views[name]!;
    if (offset % 4 !== 0 || strides[0]! % 4 !== 0 || strides[1]! % 4 !== 0) return 1;
  }
  return 4;
}

/** The data of every attention kernel: extents, scale, and the address of every view in elements of `width`. */
export function attentionData(
  { heads, queries, keys }: AttentionExtents,
  scale: number,
  width: 1 | 4,
  views: AttentionViews,
): KernelData {
  const data: Record<string, KernelData[string]> = {
    HEADS: heads,
    LQ: queries,
    LK: keys,
    SCALE: f32(scale),
  };
  for (const name in views) {
    const { offset, strides } = views[name]!;
    data[`${name}_OFFSET`] = offset / width;
    data[`${name}_GROUP`] = strides[0]! / width;
    data[`${name}_ROW`] = strides[1]! / width;
  }
  return data;
}

/** Channels of a head. */
export function headDimension({ channels, heads }: AttentionExtents): number {
  return channels / heads;
}

/** Bytes of `count` [G, rows, C] arrays. */
export function viewBytes(
  { groups, channels, dtype = 'f32' }: AttentionExtents,
  rows: number,
  count = 1,
): number {
  return elementBytes(dtype) * count * groups * rows * channels;
}

/** Bytes of one f32 [G, H, Lq] array. */
export function statisticsBytes({ groups, heads, queries }: AttentionExtents): number {
  return 4 * groups * heads * queries;
}
