/** Numbers that the kernels on pixels look up, and that many frames and batches share. */
import type { GpuArray, Runtime } from '@tubelet/kernels';

/** More tables than this are not those of a training loop. */
const TABLES_LIMIT = 512;

/** Tables one behind the other, each made once. */
export class SharedTables {
  private words: Uint32Array<ArrayBuffer> = new Uint32Array(1024);
  private length = 0;
  private readonly places = new Map<string, number>();
  private array: GpuArray | undefined;
  private uploaded = 0;

  constructor(private readonly runtime: Runtime) {}

  /** Where the table of this name begins. The name must tell everything that `make` depends on. */
  place(name: string, make: () => Uint32Array): number {
    const known = this.places.get(name);
    if (known !== undefined) return known;
    const place = this.length;
    const words = make();
    this.length += words.length;
    if (this.length > this.words.length) {
      const grown = new Uint32Array(Math.max(2 * this.words.length, this.length));
      grown.set(this.words);
      this.words = grown;
    }
    this.words.set(words, place);
    this.places.set(name, place);
    return place;
  }

  /** All tables on the GPU. */
  upload(): GpuArray {
    if (this.array === undefined || this.array.size < this.words.length) {
      this.release();
      this.array = this.runtime.keep(this.runtime.empty([this.words.length], 'u32', 'pixel tables'));
    }
    if (this.uploaded < this.length) this.runtime.write(this.array, this.words);
    this.uploaded = this.length;
    return this.array;
  }

  /** To be called between batches: forgets tables where there have come to be many. */
  tidy(): void {
    if (this.places.size <= TABLES_LIMIT) return;
    this.places.clear();
    this.length = this.uploaded = 0;
  }

  release(): void {
    if (this.array) this.runtime.release(this.array);
    this.array = undefined;
    this.uploaded = 0;
  }
}
