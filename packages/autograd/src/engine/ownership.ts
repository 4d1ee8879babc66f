import type { GpuArray, Runtime, Storage } from '@tubelet/kernels';
import { KeptArrays } from './kept-arrays.js';
import { Tensor } from './tensor.js';
import { isSpent } from './spent.js';

/** Whose memory is: that of a step ends with it, but for what it returns and what `keep` takes out of it. */
export class Ownership {
  /** What neither a backward pass nor the end of a stage gives back now. */
  kept = new KeptArrays();
  /** What `keep` has taken out of a step, and `release` gives back. */
  private readonly taken = new Set<Storage>();
  /** Whether what is kept stays in memory that somebody else gives back. */
  private leavesKept = false;
  /** What the last step returned. */
  private results: readonly GpuArray[] = [];

  constructor(private readonly runtime: Runtime) {}

  /** See `Engine.keep`. */
  keep(array: GpuArray): void {
    const isResult = this.removeFromResults(array);
    this.kept.add(array);
    // What no step owns belongs to somebody else, e.g. to the parameters.
    if (!this.leavesKept && (isResult || this.runtime.allocations.isScoped(array))) {
      this.runtime.keep(array);
      this.taken.add(array.storage);
    }
  }

  /** See `Engine.release`. */
  release(array: GpuArray): void {
    this.removeFromResults(array);
    const isOthers = this.kept.has(array) && !this.taken.has(array.storage);
    if (this.kept.remove(array) && !isOthers) {
      this.taken.delete(array.storage);
      this.runtime.release(array);
    }
  }

  /** Lets what a step returns outlive it: of an outermost one until `releaseResults`. */
  handOut(result: unknown, isOutermost: boolean): void {
    const { allocations } = this.runtime;
    requireReadable(result);
    // What no scope owns belongs to somebody else, e.g. to the parameters.
    const own = arraysOf(result).filter((array) => allocations.isScoped(array));
    for (const array of own) allocations.escape(array);
    if (isOutermost) this.results = own;
  }

  releaseResults(): void {
    const { results } = this;
    this.results = [];
    for (const array of results) this.runtime.release(array);
  }

  /** Leaves what is kept from now on where it is; returns what brings back what was kept before. */
  beginLeavingKept(): () => void {
    const { kept, leavesKept } = this;
    this.kept = new KeptArrays(kept);
    this.leavesKept = true;
    return () => {
      this.kept = kept;
      this.leavesKept = leavesKept;
    };
  }

  /** Whether it was one. */
  private removeFromResults({ storage }: GpuArray): boolean {
    const others = this.results.filter((result) => result.storage !== storage);
    const isResult = others.length < this.results.length;
    this.results = others;
    return isResult;
  }
}

/** The tensors of a step's result that are looked for: one, or those in an object or array. */
function tensorsOf(result: unknown): Tensor[] {
  const isGroup =
    Array.isArray(result) || (result instanceof Object && Object.getPrototypeOf(result) === Object.prototype);
  const parts: unknown[] = isGroup ? Object.values(result as object) : [result];
  return parts.filter((part) => part instanceof Tensor);
}

/** Their arrays, each memory once. */
function arraysOf(result: unknown): GpuArray[] {
  return [...new Map(tensorsOf(result).map(({ array }) => [array.storage.id, array])).values()];
}

/** @throws Error where a step returns a tensor that has no memory any more */
export function requireReadable(result: unknown): void {
  for (const tensor of tensorsOf(result)) {
    if (!isSpent(tensor)) continue;
    throw new Error(
      `a step returns ${tensor}, whose memory its backward pass has given back: pass it to keep() before that`,
    );
  }
}
