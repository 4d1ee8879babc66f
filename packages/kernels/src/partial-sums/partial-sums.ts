import { GpuArray, type Storage } from '../runtime/gpu-array.js';
import { elementAlias, requireContiguous } from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';
import { selectVariant, type Variant } from '../runtime/variants.js';
import partialSumsWgsl from './partial-sums.wgsl';

const KERNEL = 'partial-sums';

interface PartialSumsVariant extends Variant {
  /** Of a workgroup; a power of two. */
  readonly invocations: number;
  /** Invocations that share a column of which there are many parts; a power of two. */
  readonly manyParts: number;
}

export const partialSumsVariants: readonly PartialSumsVariant[] = [
  { name: 'narrow', needs: [], prefers: 'software', invocations: 16, manyParts: 1 },
  { name: 'workgroup', needs: [], prefers: 'gpu', invocations: 256, manyParts: 16 },
];

// With fewer, such as those of a product whose K was split, invocations have enough columns to be busy with.
const MANY_PARTS = 64;

// The first chunk of memory holds so many requests of the size of its first one, a later one twice what was needed at a
// time before: a large model needs few, and a small one little memory. Behind a request that fills a chunk by itself,
// such as the parts of a large product, there is room for small ones.
const FIRST_CHUNK_REQUESTS = 8;
const MAX_CHUNK_BYTES = 1 << 24;
const ROOM_BYTES = 21 << 18; // two layer norms of 512 columns, of which one has few rows
// What can be bound by itself starts on a multiple of 256 bytes.
const REGION_ELEMENTS = 64;

/** A part of a row of values, and where it goes. */
export interface RowPiece {
  readonly target: GpuArray;
  /** Where its values begin in the row. */
  readonly column: number;
  readonly accumulate: boolean;
}

/** Rows that one kernel fills, whose sum goes to some targets. */
export interface PartialRows {
  readonly columns: number;
  readonly pieces: readonly RowPiece[];
}

/** One sum that is still in parts. */
interface PendingSum {
  readonly target: GpuArray;
  /** First element of its parts, and from one to the next. */
  readonly first: number;
  readonly stride: number;
  readonly parts: number;
  readonly columns: number;
  readonly accumulate: boolean;
}

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
  /** A chunk whose sums are being made; nobody may write to it before they have been. */
  private spent: GpuArray | undefined;
  private mostUsed = 0;

  constructor(private readonly runtime: Runtime) {}

  /** Of a workgroup of the kernel that makes the sums. */
  get invocations(): number {
    return selectVariant(this.runtime, KERNEL, partialSumsVariants).invocations;
  }

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
      this.pending.push({ target, first: first + i * size, stride: columns, parts, columns, accumulate }),
    );
    const region = this.regionOf(first, size * targets.length);
    return targets.map((_, i) => new GpuArray(region, 'f32', [parts, columns], undefined, i * size));
  }

  /**
   * Matrices [parts, columns] in memory of their own, to be filled by the next kernel, in whose rows the values of some
   * targets lie: their sums will overwrite these, or be added to them. What lies between them is read by nobody, such as
   * the sums for keys that have no bias. Targets are contiguous (`ShapeError`).
   */
  addRows(matrices: readonly PartialRows[], parts: number): GpuArray[] {
    const pieces = matrices.flatMap((matrix) => matrix.pieces);
    pieces.forEach(({ target }, i) => requireContiguous(KERNEL, `target ${i}`, target, target.size));
    if (pieces.some(({ target }) => this.awaits(target))) this.flush();
    const sizes = matrices.map(
      ({ columns }) => Math.ceil((parts * columns) / REGION_ELEMENTS) * REGION_ELEMENTS,
    );
    let first = this.reserve(sizes.reduce((sum, size) => sum + size, 0));
    return matrices.map(({ columns, pieces: own }, i) => {
      for (const { target, column, accumulate } of own) {
        const place = { first: first + column, stride: columns, parts, columns: target.size };
        this.pending.push({ target, ...place, accumulate });
      }
      const region = this.regionOf(first, sizes[i]!);
      first += sizes[i]!;
      return new GpuArray(region, 'f32', [parts, columns]);
    });
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
    this.makeSums();
    if (this.spent) this.runtime.release(this.spent);
    this.spent = undefined;
  }

  /**
   * In a `Runtime.together`, makes all sums in a dispatch with what comes next: the memory of their parts stays until
   * the next flush. Sums of parts that this `together` itself fills get a dispatch of their own.
   */
  flushBeside(): void {
    if (this.runtime.isGathering) this.makeSums();
  }

  private makeSums(): void {
    const { runtime, chunk, pending } = this;
    if (!chunk) return;
    if (this.spent) runtime.release(this.spent);
    this.spent = chunk.array;
    this.mostUsed = Math.max(this.mostUsed, chunk.used);
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
  }

  /** Hands the parts that wait from the innermost scope to the one around it. */
  escape(): void {
    for (const array of [this.chunk?.array, this.spent]) if (array) this.runtime.allocations.escape(array);
  }

  /** So many elements of the chunk by themselves, so that where they lie in it is not part of anybody's program. */
  private regionOf(first: number, size: number): Storage {
    return this.runtime.pool.region(this.chunk!.array.storage, 4 * first, 4 * size);
  }

  private reserve(size: number): number {
    if (this.chunk && this.chunk.used + size > this.chunk.array.size) {
      this.chunk.used += size;
      this.flush();
    }
    if (!this.chunk) {
      const wanted = Math.max(size * FIRST_CHUNK_REQUESTS, 2 * this.mostUsed);
      const isLarge = 4 * size > MAX_CHUNK_BYTES - ROOM_BYTES;
      const length = isLarge ? size + ROOM_BYTES / 4 : Math.min(wanted, MAX_CHUNK_BYTES / 4);
      this.chunk = { array: this.runtime.empty([length], 'f32', 'partial sums'), used: 0 };
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
  const isWide = sums.every(({ columns, stride, first }, i) =>
    [columns, stride, first, places[i]!].every((count) => count % 4 === 0),
  );
  const width = isWide ? 4 : 1;
  const { name, invocations, manyParts } = selectVariant(runtime, KERNEL, partialSumsVariants);
  const blockColumns = sums.map((sum) => (sum.parts < MANY_PARTS ? invocations : invocations / manyParts));
  const counts = sums.map(({ columns }, i) => Math.ceil(columns / width / blockColumns[i]!));
  const count = counts.reduce((total, blocks) => total + blocks, 0);
  const build = () =>
    Uint32Array.from(
      sums.flatMap(({ first, stride, parts: rows, columns, accumulate }, i) =>
        Array.from({ length: counts[i]! }, (_, block) => {
          const column = block * blockColumns[i]!;
          return [
            first / width + column,
            stride / width,
            rows,
            places[i]! / width + column,
            Math.min(blockColumns[i]!, columns / width - column),
            blockColumns[i]!,
            Number(accumulate),
          ];
        }).flat(),
      ),
    );
  const sum = (of: (sum: PendingSum) => number) => sums.reduce((total, one) => total + of(one), 0);
  const key = sums.map(
    ({ first, stride, parts: rows, columns, accumulate }, i) =>
      `${first} ${stride} ${rows} ${places[i]!} ${columns} ${accumulate}`,
  );
  const table = runtime.table(`${KERNEL} ${invocations} ${width} ${key.join()}`, build);
  const grid = runtime.linearGrid(count);
  const whole = new GpuArray(target, 'f32', [target.sizeBytes / 4]);
  runtime.run({
    kernel: KERNEL,
    variant: name,
    wgsl: [elementAlias(width), partialSumsWgsl],
    constants: { INVOCATIONS: invocations, SHARES_COLUMNS: manyParts > 1 },
    data: { BLOCKS: count, GRID_X: grid[0] },
    arrays: { parts, blocks: table, sums: whole },
    workgroups: grid,
    // The additions count as operations of whoever made the parts.
    cost: {
      macs: 0,
      flops: 0,
      bytesRead:
        4 * sum(({ parts: rows, columns, accumulate }) => (rows + Number(accumulate)) * columns) +
        table.sizeBytes,
      bytesWritten: 4 * sum(({ columns }) => columns),
    },
    joins: { workgroup: [invocations, 1], workgroupBytes: 16 * invocations },
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
