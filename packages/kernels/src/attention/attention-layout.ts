import { ShapeError } from '../runtime/errors.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import { shapeClass, type ShapeClass } from '../runtime/shape-class.js';
import { constantHeader, f32, type WgslConstants } from '../runtime/wgsl.js';
import exponentialWgsl from '../math/exponential.wgsl';
import lanes1Wgsl from './lanes-1.wgsl';
import lanes4Wgsl from './lanes-4.wgsl';

/** Largest head dimension: a row of a head is held in registers. */
export const MAX_HEAD_DIMENSION = 128;

/** The extents of one attention: `groups` independent ones of `queries` × `keys`, `heads` of `headDimension` each. */
export interface AttentionExtents {
  readonly groups: number;
  readonly queries: number;
  readonly keys: number;
  readonly channels: number;
  readonly heads: number;
}

/** Named [G, L, C] views of one kernel, in the order of their constants in the header. */
export type AttentionViews = Readonly<Record<string, GpuArray>>;

/** Checks the shapes of q [G, Lq, C] and k, v [G, Lk, C] against each other and against `heads`. */
export function attentionExtents(
  kernel: string,
  q: GpuArray,
  k: GpuArray,
  v: GpuArray,
  heads: number,
): AttentionExtents {
  for (const [name, array] of Object.entries({ q, k, v })) requireView(kernel, name, array);
  const [groups, queries, channels] = q.shape as [number, number, number];
  const keys = k.shape[1]!;
  requireShape(kernel, 'k', k, [groups, keys, channels]);
  requireShape(kernel, 'v', v, [groups, keys, channels]);
  if (!Number.isInteger(heads) || heads < 1 || channels % heads !== 0) {
    throw new ShapeError(`${kernel}: ${channels} channels cannot be split into ${heads} heads`);
  }
  if (channels / heads > MAX_HEAD_DIMENSION) {
    throw new ShapeError(
      `${kernel}: a head dimension of ${channels / heads} (${channels} channels, ${heads} heads) exceeds` +
        ` ${MAX_HEAD_DIMENSION}; use more heads`,
    );
  }
  return { groups, queries, keys, channels, heads };
}

/** What the choice of a variant depends on. */
export function attentionClass({ groups, queries, keys, channels, heads }: AttentionExtents): ShapeClass {
  return shapeClass(0, groups * heads, queries, keys, channels / heads);
}

/** Requires `array` to be an f32 view of exactly this shape whose last axis is contiguous. */
export function requireShape(kernel: string, name: string, array: GpuArray, shape: readonly number[]): void {
  requireView(kernel, name, array);
  if (array.shape.length !== shape.length || array.shape.some((extent, axis) => extent !== shape[axis])) {
    throw new ShapeError(`${kernel}: ${name} must be [${shape.join(', ')}], got ${array}`);
  }
}

function requireView(kernel: string, name: string, array: GpuArray): void {
  if (array.dtype !== 'f32' || array.shape.length !== 3 || (array.shape[2]! > 1 && array.strides[2] !== 1)) {
    throw new ShapeError(
      `${kernel}: ${name} must be an f32 [G, L, C] view with contiguous channels, got ${array}`,
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
  requireShape(kernel, name, array, [extents.groups, extents.heads, extents.queries]);
  if (!array.isContiguous) throw new ShapeError(`${kernel}: ${name} must be contiguous, got ${array}`);
}

/** WebGPU forbids one buffer to be read and written by the same dispatch. */
export function requireSeparate(kernel: string, inputs: AttentionViews, outputs: AttentionViews): void {
  for (const [outputName, output] of Object.entries(outputs)) {
    for (const [inputName, input] of Object.entries(inputs)) {
      if (output.storage.buffer === input.storage.buffer) {
        throw new ShapeError(
          `${kernel}: ${outputName} shares a buffer with ${inputName}; give it one of its own`,
        );
      }
    }
  }
}

/** What goes in front of every attention kernel: eˣ, the element type, the extents and the address of every view. */
export function attentionHeader(
  extents: AttentionExtents,
  scale: number,
  views: AttentionViews,
  constants: WgslConstants = {},
): string {
  const width = laneWidth(extents, Object.values(views));
  const all: Record<string, WgslConstants[string]> = {
    HEADS: extents.heads,
    HEAD_LANES: extents.channels / extents.heads / width,
    LQ: extents.queries,
    LK: extents.keys,
    SCALE: f32(scale),
  };
  for (const [name, { offset, strides }] of Object.entries(views)) {
    const prefix = name.replace(/[A-Z]/g, '_$&').toUpperCase();
    all[`${prefix}_OFFSET`] = offset / width;
    all[`${prefix}_GROUP`] = strides[0]! / width;
    all[`${prefix}_ROW`] = strides[1]! / width;
  }
  return exponentialWgsl + (width === 4 ? lanes4Wgsl : lanes1Wgsl) + constantHeader({ ...all, ...constants });
}

/** 4 when every row of every head starts on a multiple of four elements, else 1. */
export function laneWidth(extents: AttentionExtents, views: readonly GpuArray[]): 1 | 4 {
  const aligned = (array: GpuArray) =>
    [array.offset, array.strides[0]!, array.strides[1]!].every((x) => x % 4 === 0);
  return (extents.channels / extents.heads) % 4 === 0 && views.every(aligned) ? 4 : 1;
}

/** Extents, scale and layout of all views as part of a program's key. */
export function attentionKey(extents: AttentionExtents, scale: number, views: AttentionViews): string {
  let key = `${extents.groups} ${extents.queries} ${extents.keys} ${extents.channels} ${extents.heads} ${scale}`;
  for (const { offset, strides } of Object.values(views)) key += ` ${offset},${strides[0]},${strides[1]}`;
  return key;
}

/** Bytes of `count` f32 [G, rows, C] arrays. */
export function viewBytes({ groups, channels }: AttentionExtents, rows: number, count = 1): number {
  return 4 * count * groups * rows * channels;
}

/** Bytes of one f32 [G, H, Lq] array. */
export function statisticsBytes({ groups, heads, queries }: AttentionExtents): number {
  return 4 * groups * heads * queries;
}
