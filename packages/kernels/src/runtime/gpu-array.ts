import { ShapeError } from './errors.js';

/** Element types that a GPU array can hold. `u8` arrays are bound as `array<u32>`, four elements a word. */
export type DType = 'f32' | 'f16' | 'u32' | 'i32' | 'u8';

const ELEMENT_BYTES: Record<DType, number> = { f32: 4, f16: 2, u32: 4, i32: 4, u8: 1 };

export function elementBytes(dtype: DType): number {
  return ELEMENT_BYTES[dtype];
}

/** A region of a GPU buffer. `offsetBytes` is a multiple of 256, so the region can be bound by itself. */
export interface Storage {
  readonly id: number;
  readonly buffer: GPUBuffer;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** How many of the bytes belong to arrays; the rest, up to `sizeBytes`, is padding. */
  readonly usedBytes: number;
}

/**
 * A matrix inside a strided array, as kernels address it: element (r, c) lies at
 * `offset + floor(r / inner) · outerStride + (r mod inner) · innerStride + c` (all in elements).
 * Two levels are what the region-major token buffer [B, M, 1+N, C] needs: all rows, the representative
 * row of each region, or the N local rows of each region.
 */
export interface RowLayout {
  readonly rows: number;
  readonly columns: number;
  readonly offset: number;
  readonly inner: number;
  readonly innerStride: number;
  readonly outerStride: number;
}

/** A strided view of GPU memory: shape, strides and offset count elements, not bytes. */
export class GpuArray {
  constructor(
    readonly storage: Storage,
    readonly dtype: DType,
    readonly shape: readonly number[],
    readonly strides: readonly number[] = contiguousStrides(shape),
    readonly offset: number = 0,
  ) {}

  /** Number of elements. */
  get size(): number {
    return product(this.shape);
  }

  get sizeBytes(): number {
    return this.size * elementBytes(this.dtype);
  }

  get isContiguous(): boolean {
    let expected = 1;
    for (let axis = this.shape.length - 1; axis >= 0; axis--) {
      if (this.shape[axis] !== 1 && this.strides[axis] !== expected) return false;
      expected *= this.shape[axis]!;
    }
    return true;
  }

  /** The elements `start … end − 1` of one axis, sharing memory. Negative axes count from the last. */
  slice(axis: number, start: number, end: number): GpuArray {
    const at = axis < 0 ? axis + this.shape.length : axis;
    const extent = this.shape[at];
    const isWhole = Number.isInteger(start) && Number.isInteger(end);
    if (extent === undefined || !isWhole || start < 0 || end > extent || start >= end) {
      throw new ShapeError(
        `slice ${start}:${end} of axis ${axis} ${isWhole ? 'lies outside' : 'is not of whole elements of'} shape [${this.shape.join(', ')}]`,
      );
    }
    const shape = this.shape.slice();
    shape[at] = end - start;
    return new GpuArray(
      this.storage,
      this.dtype,
      shape,
      this.strides,
      this.offset + start * this.strides[at]!,
    );
  }

  /**
   * The same elements under another shape, sharing memory; the array must be contiguous.
   *
   * @throws ShapeError for a view, another number of elements, and extents that are not positive integers
   */
  reshape(shape: readonly number[]): GpuArray {
    if (!shape.every((extent) => Number.isInteger(extent) && extent > 0)) {
      throw new ShapeError(
        `cannot reshape [${this.shape.join(', ')}] to [${shape.join(', ')}]: extents must be positive integers`,
      );
    }
    if (product(shape) !== this.size) {
      throw new ShapeError(
        `cannot reshape [${this.shape.join(', ')}] to [${shape.join(', ')}]: element counts differ`,
      );
    }
    if (!this.isContiguous) {
      throw new ShapeError(`cannot reshape the strided view [${this.shape.join(', ')}] without a copy`);
    }
    return new GpuArray(this.storage, this.dtype, shape, contiguousStrides(shape), this.offset);
  }

  /** Repeats the array over new leading axes without copying (stride 0). */
  broadcastLeading(...leading: number[]): GpuArray {
    return new GpuArray(
      this.storage,
      this.dtype,
      [...leading, ...this.shape],
      [...leading.map(() => 0), ...this.strides],
      this.offset,
    );
  }

  /** This array as a matrix of rows along its last axis; throws when two strides cannot address the rows. */
  rows(): RowLayout {
    const rank = this.shape.length;
    const columns = this.shape[rank - 1] ?? 1;
    if (columns > 1 && this.strides[rank - 1] !== 1) {
      throw new ShapeError(`the last axis of [${this.shape.join(', ')}] is not contiguous`);
    }
    // Merge axes from the innermost outwards into at most two (count, stride) levels.
    let levels = 0;
    let inner = 1;
    let innerStride = columns;
    let outer = 1;
    let outerStride = 0;
    for (let axis = rank - 2; axis >= 0; axis--) {
      const count = this.shape[axis]!;
      const stride = this.strides[axis]!;
      if (count === 1) continue;
      if (levels === 1 && stride === innerStride * inner) {
        inner *= count;
      } else if (levels === 2 && stride === outerStride * outer) {
        outer *= count;
      } else if (levels === 0) {
        [levels, inner, innerStride] = [1, count, stride];
      } else if (levels === 1) {
        [levels, outer, outerStride] = [2, count, stride];
      } else {
        throw new ShapeError(
          `[${this.shape.join(', ')}] with strides [${this.strides.join(', ')}] needs more than two row strides`,
        );
      }
    }
    return { rows: inner * outer, columns, offset: this.offset, inner, innerStride, outerStride };
  }

  toString(): string {
    const strided = this.isContiguous ? '' : ` strides ${this.strides.join('×')} offset ${this.offset}`;
    return `${this.dtype}[${this.shape.join(', ')}]${strided}`;
  }
}

/** The numbers multiplied, e.g. the elements of a shape; 1 for none. */
export function product(values: readonly number[]): number {
  let result = 1;
  for (const value of values) result *= value;
  return result;
}

export function contiguousStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}
