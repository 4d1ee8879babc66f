import type { Cost } from './ledger.js';

/** Time and work of one kernel over all profiled dispatches. */
export interface ProfileEntry {
  readonly kernel: string;
  readonly calls: number;
  readonly durationMs: number;
  /** 2 · multiply–accumulates + other floating-point operations, over time. */
  readonly gigaflopsPerSecond: number;
  /** Least bytes read and written, over time. */
  readonly gigabytesPerSecond: number;
}

/** When a kernel ran, in milliseconds of the GPU's own clock. */
export interface KernelSpan {
  readonly kernel: string;
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * Is told of the kernels that were handed to the GPU together, in order.
 *
 * @param submittedMs when that was, as `performance.now()` tells it
 */
export type KernelObserver = (spans: readonly KernelSpan[], submittedMs: number) => void;

interface Sum {
  calls: number;
  nanoseconds: number;
  flops: number;
  bytes: number;
}

// More than a runtime records before it submits.
const CAPACITY = 1024;
const USAGE_QUERY_RESOLVE_COPY_SRC = 0x0200 | 0x0004;
const USAGE_MAP_READ_COPY_DST = 0x0001 | 0x0008;

/** Timestamps around every dispatch. Each dispatch gets a pass of its own, so profiled runs are slower. */
export class Profiler {
  private readonly querySet: GPUQuerySet;
  private readonly resolved: GPUBuffer;
  private pending: { kernel: string; cost: Cost }[] = [];
  private readonly readbacks: Promise<void>[] = [];
  private failure: unknown;
  private readonly sums = new Map<string, Sum>();

  constructor(
    private readonly device: GPUDevice,
    private readonly onKernels?: KernelObserver,
  ) {
    this.querySet = device.createQuerySet({ type: 'timestamp', count: 2 * CAPACITY });
    this.resolved = device.createBuffer({ size: 16 * CAPACITY, usage: USAGE_QUERY_RESOLVE_COPY_SRC });
  }

  /** Timestamp writes for the pass of the next dispatch. */
  next(kernel: string, cost: Cost): GPUComputePassTimestampWrites {
    const at = 2 * this.pending.length;
    this.pending.push({ kernel, cost });
    return { querySet: this.querySet, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 };
  }

  /** Records the copy of all pending timestamps; returns what to do once the encoder has been submitted. */
  resolve(encoder: GPUCommandEncoder): (() => void) | undefined {
    const pending = this.pending;
    if (pending.length === 0) return undefined;
    this.pending = [];
    const sizeBytes = 16 * pending.length;
    const staging = this.device.createBuffer({ size: sizeBytes, usage: USAGE_MAP_READ_COPY_DST });
    encoder.resolveQuerySet(this.querySet, 0, 2 * pending.length, this.resolved, 0);
    encoder.copyBufferToBuffer(this.resolved, 0, staging, 0, sizeBytes);
    return () => {
      const submittedMs = performance.now();
      this.readbacks.push(
        staging
          .mapAsync(1)
          .then(() => {
            const stamps = new BigUint64Array(staging.getMappedRange().slice(0));
            staging.destroy();
            const spans = pending.map(({ kernel, cost }, i) => {
              const [start, end] = [stamps[2 * i]!, stamps[2 * i + 1]!];
              this.add(kernel, Math.max(Number(end - start), 0), cost);
              return { kernel, startMs: Number(start) / 1e6, endMs: Number(end) / 1e6 };
            });
            this.onKernels?.(spans, submittedMs);
          })
          // Told by `report`: until then nobody may be waiting.
          .catch((error: unknown) => void (this.failure ??= error)),
      );
    };
  }

  /**
   * Waits for all submitted timestamps; kernels sorted by total time.
   *
   * @throws when they could not be read
   */
  async report(): Promise<ProfileEntry[]> {
    await Promise.all(this.readbacks.splice(0));
    if (this.failure !== undefined) throw this.failure;
    return [...this.sums]
      .map(([kernel, sum]) => ({
        kernel,
        calls: sum.calls,
        durationMs: sum.nanoseconds / 1e6,
        gigaflopsPerSecond: sum.nanoseconds > 0 ? sum.flops / sum.nanoseconds : 0,
        gigabytesPerSecond: sum.nanoseconds > 0 ? sum.bytes / sum.nanoseconds : 0,
      }))
      .sort((a, b) => b.durationMs - a.durationMs);
  }

  destroy(): void {
    this.querySet.destroy();
    this.resolved.destroy();
  }

  private add(kernel: string, nanoseconds: number, cost: Cost): void {
    let sum = this.sums.get(kernel);
    if (!sum) {
      sum = { calls: 0, nanoseconds: 0, flops: 0, bytes: 0 };
      this.sums.set(kernel, sum);
    }
    sum.calls++;
    sum.nanoseconds += nanoseconds;
    sum.flops += 2 * cost.macs + cost.flops;
    sum.bytes += cost.bytesRead + cost.bytesWritten;
  }
}

/** The profile as the table that `--profile` prints. */
export function formatProfile(entries: readonly ProfileEntry[]): string {
  const total = entries.reduce((sum, entry) => sum + entry.durationMs, 0);
  const lines = ['kernel                        calls     time ms   share   GFLOP/s      GB/s'];
  for (const entry of entries) {
    lines.push(
      entry.kernel.padEnd(26) +
        String(entry.calls).padStart(9) +
        entry.durationMs.toFixed(2).padStart(12) +
        `${((100 * entry.durationMs) / Math.max(total, 1e-9)).toFixed(1)} %`.padStart(8) +
        entry.gigaflopsPerSecond.toFixed(2).padStart(10) +
        entry.gigabytesPerSecond.toFixed(2).padStart(10),
    );
  }
  lines.push(`${'total'.padEnd(35)}${total.toFixed(2).padStart(12)}`);
  return lines.join('\n');
}
