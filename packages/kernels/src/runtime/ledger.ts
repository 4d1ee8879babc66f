/**
 * What one kernel costs: operations by its mathematics, bytes by what it is. All FLOP and bandwidth figures come from
 * these declarations.
 */
export interface Cost {
  /** Multiply–accumulates of matrix products (linear layers, convolutions, attention scores and sums). */
  readonly macs: number;
  /** Floating-point operations outside matrix products, counted as fvcore does (layer norm: 5 an element). */
  readonly flops: number;
  /** Bytes of what the kernel reads, each array once: what it comes back to is in a cache. */
  readonly bytesRead: number;
  /**
   * Bytes of what it writes, parts of sums for another kernel included; but not those of `stridedReduce`, `sumAll` and
   * the two-part loss, which are few.
   */
  readonly bytesWritten: number;
}

/** A kernel of a dispatch and what it costs. */
export interface KernelCost {
  readonly kernel: string;
  readonly cost: Cost;
}

/** The cost of kernels together. */
export function sumOfCosts(kernels: readonly KernelCost[]): Cost {
  const sum = { macs: 0, flops: 0, bytesRead: 0, bytesWritten: 0 };
  for (const { cost } of kernels) {
    sum.macs += cost.macs;
    sum.flops += cost.flops;
    sum.bytesRead += cost.bytesRead;
    sum.bytesWritten += cost.bytesWritten;
  }
  return sum;
}

/** What a kernel has cost since the ledger was reset: calls, and the sums of the costs that they declared. */
export interface LedgerEntry {
  calls: number;
  macs: number;
  flops: number;
  bytesRead: number;
  bytesWritten: number;
}

/** Adds up the declared costs of all dispatches, by kernel. */
export class Ledger {
  private readonly byKernel = new Map<string, LedgerEntry>();

  add(kernel: string, cost: Cost, calls = 1): void {
    let entry = this.byKernel.get(kernel);
    if (!entry) {
      entry = { calls: 0, macs: 0, flops: 0, bytesRead: 0, bytesWritten: 0 };
      this.byKernel.set(kernel, entry);
    }
    entry.calls += calls;
    entry.macs += cost.macs;
    entry.flops += cost.flops;
    entry.bytesRead += cost.bytesRead;
    entry.bytesWritten += cost.bytesWritten;
  }

  /** Adds the sums of another ledger. */
  addAll(other: Ledger): void {
    for (const [kernel, entry] of other.entries()) this.add(kernel, entry, entry.calls);
  }

  /** Per-kernel sums, in the order in which kernels first ran. */
  entries(): ReadonlyMap<string, Readonly<LedgerEntry>> {
    return this.byKernel;
  }

  total(): LedgerEntry {
    const sum: LedgerEntry = { calls: 0, macs: 0, flops: 0, bytesRead: 0, bytesWritten: 0 };
    for (const entry of this.byKernel.values()) {
      sum.calls += entry.calls;
      sum.macs += entry.macs;
      sum.flops += entry.flops;
      sum.bytesRead += entry.bytesRead;
      sum.bytesWritten += entry.bytesWritten;
    }
    return sum;
  }

  reset(): void {
    this.byKernel.clear();
  }
}
