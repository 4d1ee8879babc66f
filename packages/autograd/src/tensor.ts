import type { DType, GpuArray } from '@tubelet/kernels';
import type { Engine } from './engine.js';

/** A value on the GPU that gradients can flow through: a strided array and a place in the graph. */
export class Tensor {
  constructor(
    readonly engine: Engine,
    readonly array: GpuArray,
    readonly requiresGrad = false,
    /** For error messages and profiles. */
    readonly name = '',
  ) {}

  get shape(): readonly number[] {
    return this.array.shape;
  }

  get dtype(): DType {
    return this.array.dtype;
  }

  /** Extent of one axis; negative axes count from the last. */
  extent(axis: number): number {
    const value = this.array.shape.at(axis);
    if (value === undefined) throw new RangeError(`[${this.shape.join(', ')}] has no axis ${axis}`);
    return value;
  }

  /** The values, row-major. Waits for the GPU. */
  read(): Promise<Float32Array> {
    return this.engine.runtime.read(this.array);
  }

  /** The single value of a one-element tensor. Waits for the GPU. */
  async item(): Promise<number> {
    if (this.array.size !== 1) throw new RangeError(`item() needs one element, this tensor is ${this.array}`);
    return (await this.read())[0]!;
  }

  toString(): string {
    return `Tensor ${this.name || '(unnamed)'} ${this.array}`;
  }
}
