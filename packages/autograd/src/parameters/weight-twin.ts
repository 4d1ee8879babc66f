import { GpuArray, rowAdd, type Runtime } from '@tubelet/kernels';

/**
 * The values of all parameters of a store rounded to f16, at the same places of as many banks: what products of f16
 * read in place of them. It is made where one first reads it. AdamW writes it beside the values; whoever else writes
 * values says so by `invalidate`, and they are rounded anew before they are next read.
 */
export class WeightTwin {
  private made: readonly GpuArray[] = [];
  private isStale = true;

  /** @param values f32, contiguous: the banks */
  constructor(
    private readonly runtime: Runtime,
    private readonly values: readonly GpuArray[],
  ) {}

  /** f16, of the sizes of the banks; none where nobody has read it. */
  get banks(): readonly GpuArray[] {
    return this.made;
  }

  /** The rounded values from `offset` of a bank on, up to date. */
  view(bank: number, offset: number, shape: readonly number[]): GpuArray {
    if (this.made.length === 0) {
      const { runtime } = this;
      this.made = this.values.map(({ size }) =>
        runtime.keep(runtime.empty([size], 'f16', 'twin of weights')),
      );
    }
    this.refresh();
    return new GpuArray(this.made[bank]!.storage, 'f16', shape, undefined, offset);
  }

  /** To be called by whoever has written values and not the twin. */
  invalidate(): void {
    this.isStale = true;
  }

  /** Rounds the values anew where somebody has written them. */
  refresh(): void {
    if (!this.isStale) return;
    this.made.forEach((out, bank) => rowAdd(this.runtime, { a: this.values[bank]!, out }));
    this.isStale = this.made.length === 0;
  }

  /** Returns its memory to the pool. */
  release(): void {
    for (const array of this.made) this.runtime.release(array);
    this.made = [];
  }
}
