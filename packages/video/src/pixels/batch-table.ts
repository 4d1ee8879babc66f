import type { GpuArray, Runtime } from '@tubelet/kernels';

/** Numbers that the kernels look up which work on one batch. */
export class BatchTable {
  private readonly pieces: { readonly place: number; readonly words: Uint32Array }[] = [];
  private readonly places = new Map<string, number>();
  private length = 0;

  /** Adds words; gives their place. Under a name that was used before, what is there already. */
  add(name: string, make: () => Uint32Array): number {
    const known = this.places.get(name);
    if (known !== undefined) return known;
    const words = make();
    const place = this.reserve(words.length);
    this.pieces.push({ place, words });
    this.places.set(name, place);
    return place;
  }

  /** Leaves room for words that a kernel writes; gives their place. */
  reserve(length: number): number {
    const place = this.length;
    this.length += length;
    return place;
  }

  upload(runtime: Runtime): GpuArray {
    const words = new Uint32Array(Math.max(this.length, 1));
    for (const { place, words: piece } of this.pieces) words.set(piece, place);
    return runtime.upload(words, [words.length], 'u32', 'batch table');
  }
}
