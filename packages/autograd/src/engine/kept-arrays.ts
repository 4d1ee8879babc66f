import type { GpuArray } from '@tubelet/kernels';

/** Arrays whose memory neither a backward pass nor the end of a stage gives back, by how often each is kept. */
export class KeptArrays {
  private readonly entries: Map<number, { readonly array: GpuArray; readonly times: number }>;

  /** Begins with what `before` has; what changes here does not change it. */
  constructor(before?: KeptArrays) {
    this.entries = new Map(before?.entries);
  }

  /** Whether the memory of `array` is kept, through itself or another view. */
  has(array: GpuArray): boolean {
    return this.entries.has(array.storage.id);
  }

  add(array: GpuArray): void {
    const { id } = array.storage;
    this.entries.set(id, { array, times: (this.entries.get(id)?.times ?? 0) + 1 });
  }

  /** Takes one `add` back; whether nobody keeps the memory any more. */
  remove(array: GpuArray): boolean {
    const { id } = array.storage;
    const times = (this.entries.get(id)?.times ?? 1) - 1;
    if (times > 0) this.entries.set(id, { array, times });
    else this.entries.delete(id);
    return times === 0;
  }

  *[Symbol.iterator](): Iterator<GpuArray> {
    for (const { array } of this.entries.values()) yield array;
  }
}
