import { OutOfMemoryError } from './errors.js';
import type { Storage } from './gpu-array.js';

// COPY_* for reads and writes; STORAGE for kernels. The numbers are fixed by the WebGPU specification;
// spelling them out keeps this module free of globals that Node does not have.
const USAGE_STORAGE_COPY = 0x80 | 0x04 | 0x08;

/**
 * Reuses GPU buffers. Free buffers wait in one last-in-first-out list per size class, so that a step that
 * asks for the same sizes in the same order gets the same buffers, and bind groups made for them are found
 * again. Reuse needs no fence: the queue runs in order, so a buffer released while the GPU still reads it is
 * only overwritten by work recorded later.
 */
export class BufferPool {
  private readonly free = new Map<number, Storage[]>();
  private nextId = 1;
  /** Bytes handed out and not yet released. */
  liveBytes = 0;
  /** Highest value of `liveBytes` since the last `resetPeak`. */
  peakBytes = 0;
  /** Bytes of all buffers that exist, in use or waiting. */
  reservedBytes = 0;
  /** Buffers created since the pool was made. */
  createdBuffers = 0;

  constructor(
    private readonly device: GPUDevice,
    private readonly onOutOfMemory: (error: OutOfMemoryError) => void,
  ) {}

  acquire(sizeBytes: number, label: string): Storage {
    const capacity = sizeClassBytes(sizeBytes);
    const waiting = this.free.get(capacity);
    const storage = waiting?.pop() ?? this.create(capacity, label);
    this.liveBytes += capacity;
    if (this.liveBytes > this.peakBytes) this.peakBytes = this.liveBytes;
    return storage;
  }

  release(storage: Storage): void {
    this.liveBytes -= storage.sizeBytes;
    const waiting = this.free.get(storage.sizeBytes);
    if (waiting) waiting.push(storage);
    else this.free.set(storage.sizeBytes, [storage]);
  }

  /**
   * Puts the free buffers into the order in which they were made. Steps release buffers in another order than
   * they ask for them; without this the next step would get the same ones for other purposes, and hardly any
   * bind group would be found again.
   */
  settle(): void {
    for (const waiting of this.free.values()) waiting.sort((a, b) => b.id - a.id);
  }

  resetPeak(): void {
    this.peakBytes = this.liveBytes;
  }

  /** Destroys the buffers that wait for reuse. Call it only after the queue has finished with them. */
  trim(): void {
    for (const waiting of this.free.values()) {
      for (const storage of waiting) {
        this.reservedBytes -= storage.sizeBytes;
        storage.buffer.destroy();
      }
    }
    this.free.clear();
  }

  private create(capacityBytes: number, label: string): Storage {
    const limits = this.device.limits;
    const limit = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
    if (capacityBytes > limit) {
      throw new OutOfMemoryError(
        capacityBytes,
        this.liveBytes,
        `one array (${label}) may have at most ${limit} bytes on this adapter`,
      );
    }
    this.device.pushErrorScope('out-of-memory');
    const buffer = this.device.createBuffer({ label, size: capacityBytes, usage: USAGE_STORAGE_COPY });
    const liveBytes = this.liveBytes;
    this.device.popErrorScope().then(
      (error) => {
        if (error) this.onOutOfMemory(new OutOfMemoryError(capacityBytes, liveBytes, `${label}: ${error.message}`));
      },
      () => undefined, // a lost device reports itself through `device.lost`
    );
    this.createdBuffers++;
    this.reservedBytes += capacityBytes;
    return { id: this.nextId++, buffer, offsetBytes: 0, sizeBytes: capacityBytes };
  }

  /** A region inside an existing storage that can be bound by itself (`offsetBytes` must be a multiple of 256). */
  region(storage: Storage, offsetBytes: number, sizeBytes: number): Storage {
    return { id: this.nextId++, buffer: storage.buffer, offsetBytes: storage.offsetBytes + offsetBytes, sizeBytes };
  }
}

/** Rounds up so that at most an eighth is wasted and near-equal sizes share a list. */
export function sizeClassBytes(sizeBytes: number): number {
  const step = Math.max(256, 2 ** (Math.floor(Math.log2(Math.max(sizeBytes, 1))) - 3));
  return Math.max(256, Math.ceil(sizeBytes / step) * step);
}
