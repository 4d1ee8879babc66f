import { GpuArray, type Storage } from '../runtime/gpu-array.js';
import { elementAlias, requireContiguous } from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';
import { selectVariant, type Variant } from '../runtime/variants.js';
import partialSumsWgsl from './partial-sums.wgsl';

const KERNEL = 'partial-sums';

interface PartialSumsVariant extends Variant {
  /** Invocations of a workgroup along columns and along rows. */
  readonly invocations: readonly [columns: number, rows: number];
}

export const partialSumsVariants: readonly PartialSumsVariant[] = [
  { name: 'narrow', needs: [], prefers: 'software', invocations: [16, 1] },
  { name: 'workgroup', needs: [], prefers: 'gpu', invocations: [16, 16] },
];

// A chunk holds so many requests of the size of its first one, the next chunk twice as many: a large model needs few,
// and a small one little memory.
const FIRST_CHUNK_REQUESTS = 8;
const MAX_CHUNK_BYTES = 1 << 24;
// What can be bound by itself starts on a multiple of 256 bytes.
const REGION_ELEMENTS = 64;

/** A part of a row of values, and where it goes. */
export interface RowPiece {
  readonly target: GpuArray;
  /** Where its values begin in the row. */
  readonly column: number;
  readonly accumulate: boolean;
}

/** One sum that is still in parts. */
interface PendingSum {
  readonly target: GpuArray;
  /** First element of its parts. */
  readonly first: number;
  readonly parts: number;
  readonly columns: number;
  readonly accumulate: boolean;
}

// Whoever makes parts states the cost of the sum.
const NO_COST = { macs: 0, flops: 0, bytesRead: 0, bytesWritten: 0 };

/**
 * Sums whose parts are made by one kernel each and added up by one kernel for all, in a fixed order: the gradients of
 * the parameters of all layer norms of a model take one dispatch instead of one or two a layer. So do values that only
 * have to be put in their places.
 *
 * Parts wait in memory of the innermost `Runtime.scope` until `flush`, which must come before the targets are read
 * and before that scope ends.
 */
export class PartialSums {
  private chunk: { readonly array: GpuArray; used: number } | undefined;
  private pending: PendingSum[] = [];
  private requestsPerChunk = FIRST_CHUNK_REQUESTS;

  constructor(private readonly runtime: Runtime) {}

  /**
   * A matrix [parts, columns] for each target, to be filled by the next kernel that is dispatched: the sum of its rows
   * will overwrite the target, or be added to it. All lie in one buffer. Targets are contiguous [columns] and must have
   * the same size (`ShapeError`).
   */
  add(targets: readonly GpuArray[], parts: number, accumulate: boolean): GpuArray[] {
    const columns = targets[0]!.size;
    targets.forEach((target, i) => requireContiguous(KERNEL, `target ${i}`, target, columns));
    // Two sums for one target, or a sum that is added to another one, keep their order only in dispatches of their own.
    if (targets.some((target) => this.awaits(target))) this.flush();
    const size = Math.ceil((parts * columns) / REGION_ELEMENTS) * REGION_ELEMENTS;
    const first = this.reserve(size * targets.length);
    targets.forEach((target, i) =>
      this.pending.push({ target, first: first + i * size, parts, columns, accumulate }),
    );
    const region = this.regionOf(first, size * targets.length);
    return targets.map((_, i) => new GpuArray(region, 'f32', [parts, columns], undefined, i * size));
  }

  /**
   * A row [columns] that the next kernel fills, in which the values of some targets lie: they will overwrite these, or
   * be added to them. What lies between them is read by nobody, such as the sums for keys that have no bias. Targets
   * are contiguous (`ShapeError`).
   */
  addRow(columns: number, pieces: readonly RowPiece[]): GpuArray {
    pieces.forEach(({ target }, i) => requireContiguous(KERNEL, `target ${i}`, target, target.size));
    if (pieces.some(({ target }) => this.awaits(target))) this.flush();
    const size = Math.ceil(columns / REGION_ELEMENTS) * REGION_ELEMENTS;
    const first = this.reserve(size);
    for (const { target, column, accumulate } of pieces) {
      this.pending.push({ target, first: first + column, parts: 1, columns: target.size, accumulate });
    }
    return new GpuArray(this.regionOf(first, size), 'f32', [columns]);
  }

  /** Whether `array` shares memory with a target whose sum has not been made. */
  awaits(array: GpuArray): boolean {
    const { buffer, offsetBytes } = array.storage;
    const start = offsetBytes + 4 * array.offset;
    return this.pending.some(({ target }) => {
      const from = target.storage.offsetBytes + 4 * target.offset;
      return (
        target.storage.buffer === buffer && from < start + array.sizeBytes && start < from + target.sizeBytes
      );
    });
  }

  /** Makes all sums and gives the memory of their parts back. */
  flush(): void {
    const { runtime, chunk, pending } = this;
    if (!chunk) return;
    this.chunk = undefined;
    this.pending = [];
    const byBuffer = new Map<GPUBuffer, PendingSum[]>();
    for (const sum of pending) {
      const { buffer } = sum.target.storage;
      const sums = byBuffer.get(buffer);
      if (sums) sums.push(sum);
      else byBuffer.set(buffer, [sum]);
    }
    for (const sums of byBuffer.values()) dispatchSums(runtime, chunk.array, sums);
    runtime.release(chunk.array);
  }

  /** Hands the parts that wait from the innermost scope to the one around it. */
  escape(): void {
    if (this.chunk) this.runtime.allocations.escape(this.chunk.array);
  }

  /** So many elements of the chunk by themselves, so that where they lie in it is not part of anybody's program. */
  private regionOf(first: number, size: number): Storage {
    return this.runtime.pool.region(this.chunk!.array.storage, 4 * first, 4 * size);
  }

  private reserve(size: number): number {
    if (this.chunk && this.chunk.used + size > this.chunk.array.size) this.flush();
    if (!this.chunk) {
      const wanted = Math.min(size * this.requestsPerChunk, MAX_CHUNK_BYTES / 4);
      this.requestsPerChunk *= 2;
      this.chunk = { array: this.runtime.empty([Math.max(wanted, size)], 'f32', 'partial sums'), used: 0 };
    }
    const first = this.chunk.used;
    this.chunk.used += size;
    return first;
  }
}

// All targets lie in one buffer.
function dispatchSums(runtime: Runtime, parts: GpuArray, sums: readonly PendingSum[]): void {
  const target = coveringStorage(runtime, sums);
  const places = sums.map(
    (sum) => (sum.target.storage.offsetBytes - target.offsetBytes) / 4 + sum.target.offset,
  );
  const isWide = sums.every(
    ({ columns, first }, i) => columns % 4 === 0 && first % 4 === 0 && places[i]! % 4 === 0,
  );
  const width = isWide ? 4 : 1;
  const { name, invocations } = selectVariant(runtime, KERNEL, partialSumsVariants);
  const [columnInvocations, rowInvocations] = invocations;
  const blocks: number[] = [];
  sums.forEach(({ first, parts: rows, columns, accumulate }, i) => {
    const stride = columns / width;
    for (let column = 0; column < stride; column += columnInvocations) {
      const inBlock = Math.min(columnInvocations, stride - column);
      blocks.push(
        first / width + column,
        stride,
        rows,
        places[i]! / width + column,
        inBlock,
        Number(accumulate),
      );
    }
  });
  const count = blocks.length / 6;
  const table = runtime.table(`${KERNEL} ${blocks.join()}`, () => Uint32Array.from(blocks));
  const grid = runtime.linearGrid(count);
  const whole = new GpuArray(target, 'f32', [target.sizeBytes / 4]);
  runtime.run({
    kernel: KERNEL,
    variant: name,
    wgsl: [elementAlias(width), partialSumsWgsl],
    constants: { COLUMN_INVOCATIONS: columnInvocations, ROW_INVOCATIONS: rowInvocations },
    data: { BLOCKS: count, GRID_X: grid[0] },
    arrays: { parts, blocks: table, sums: whole },
    workgroups: grid,
    cost: NO_COST,
  });
}

/** The smallest region of their buffer that holds all targets. */
function coveringStorage(runtime: Runtime, sums: readonly PendingSum[]): Storage {
  let first = sums[0]!.target.storage;
  let end = 0;
  for (const { target } of sums) {
    const { storage } = target;
    if (storage.offsetBytes < first.offsetBytes) first = storage;
    end = Math.max(end, storage.offsetBytes + storage.sizeBytes);
  }
  const sizeBytes = end - first.offsetBytes;
  return sizeBytes === first.sizeBytes ? first : runtime.pool.region(first, 0, sizeBytes);
}
