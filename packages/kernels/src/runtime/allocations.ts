import type { BufferPool } from './buffer-pool.js';
import { ReleaseError, ShapeError } from './errors.js';
import { GpuArray, elementBytes, product, type DType, type Storage } from './gpu-array.js';

/** Who owns which memory of the pool: arrays belong to the scope that they were made in, until released or kept. */
export class Allocations {
  private readonly scopes: Set<Storage>[] = [];

  constructor(private readonly pool: BufferPool) {}

  /**
   * A new array of the innermost scope.
   *
   * @throws ShapeError for extents that are not positive integers
   */
  empty(shape: readonly number[], dtype: DType, label: string): GpuArray {
    for (const extent of shape) {
      if (!Number.isInteger(extent) || extent < 1) {
        throw new ShapeError(
          `${label}: shape [${shape.join(', ')}] has an extent that is not a positive integer`,
        );
      }
    }
    const storage = this.pool.acquire(product(shape) * elementBytes(dtype), label);
    this.scopes[this.scopes.length - 1]?.add(storage);
    return new GpuArray(storage, dtype, shape);
  }

  release({ storage }: GpuArray): void {
    this.disown(storage);
    this.pool.release(storage);
  }

  keep(array: GpuArray): GpuArray {
    this.disown(array.storage);
    return array;
  }

  /**
   * Hands `array` from the innermost scope to the one around it, or lets it live until `release` where there is
   * none. An array that the innermost scope does not own stays where it is.
   */
  escape(array: GpuArray): GpuArray {
    const { scopes } = this;
    const innermost = scopes.length - 1;
    if (scopes[innermost]?.delete(array.storage)) scopes[innermost - 1]?.add(array.storage);
    return array;
  }

  /** Whether a scope that is still running will release an array: false for what was kept, or made outside all. */
  isScoped({ storage }: GpuArray): boolean {
    return this.scopes.some((scope) => scope.has(storage));
  }

  scope<T>(body: () => T): T {
    const own = new Set<Storage>();
    this.scopes.push(own);
    let result: T;
    try {
      result = body();
    } catch (error) {
      this.close(own);
      throw error;
    }
    if (result instanceof Promise) return result.finally(() => this.close(own)) as T;
    this.close(own);
    return result;
  }

  private disown(storage: Storage): void {
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      if (this.scopes[i]!.delete(storage)) break;
    }
  }

  private close(own: Set<Storage>): void {
    const at = this.scopes.lastIndexOf(own);
    const isInnermost = at === this.scopes.length - 1;
    this.scopes.splice(at, 1);
    for (const storage of own) this.pool.release(storage);
    if (this.scopes.length === 0) this.pool.settle();
    if (!isInnermost) {
      throw new ReleaseError(
        'a scope ended while one opened inside it was still running: await each asynchronous scope before the' +
          ' next one starts, or arrays are released while they are in use',
      );
    }
  }
}
