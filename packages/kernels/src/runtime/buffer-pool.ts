import { OutOfMemoryError, ReleaseError, formatBytes } from './errors.js';
import type { FailureLog } from './failure-log.js';
import type { Storage } from './gpu-array.js';

// COPY_* for reads and writes; STORAGE for kernels. The numbers are fixed by the WebGPU specification;
// spelling them out keeps this module free of globals that Node does not have.
const USAGE_STORAGE_COPY = 0x80 | 0x04 | 0x08;

interface PooledStorage extends Storage {
  usedBytes: number;
  /** Where it waits when it is free. */
  home: FreeLists;
}

/** Free buffers by their size; the last one released is the next one used. */
type FreeLists = Map<number, PooledStorage[]>;

/**
 * Buffers set apart from all others: those that work inside `BufferPool.within` uses, and nobody else. A recorded
 * step needs them, because it uses the same memory each time that it is replayed.
 */
export class Arena {
  readonly free: FreeLists = new Map();
}

/**
 * Reuses GPU buffers. Free buffers wait in one last-in-first-out list per size class, so that a step that
 * asks for the same sizes in the same order gets the same buffers, and bind groups made for them are found
 * again. Reuse needs no fence: the queue runs in order, so a buffer released while the GPU still reads it is
 * only overwritten by work recorded later.
 */
export class BufferPool {
  private readonly common: FreeLists = new Map();
  /** Where buffers come from at the moment: `common` or an arena's. */
  private free = this.common;
  private readonly live = new Map<Storage, PooledStorage>();
  /** Regions by storage, then by place: asking twice gives the same object, so bind groups are found again. */
  private readonly regions = new Map<number, Map<string, Storage>>();
  private readonly limitBytes: number;
  private nextId = 1;
  /** Bytes handed out and not yet released. */
  liveBytes = 0;
  /** Highest value of `liveBytes` since the last `resetPeak`. */
  peakBytes = 0;
  /** Bytes of all buffers that exist, in use or waiting. */
  reservedBytes = 0;
  /** Buffers created since the pool was made. */
  createdBuffers = 0;

  /** @param beforeTrim is told which buffers are about to be destroyed, while they can still be used */
  constructor(
    private readonly device: GPUDevice,
    private readonly failures: FailureLog,
    private readonly beforeTrim: (buffers: ReadonlySet<GPUBuffer>) => void,
  ) {
    const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
    // Bindings are whole words.
    this.limitBytes = Math.floor(Math.min(maxBufferSize, maxStorageBufferBindingSize) / 4) * 4;
  }

  /**
   * Memory for an array of `sizeBytes`.
   *
   * @throws OutOfMemoryError when no buffer may be that large
   */
  acquire(sizeBytes: number, label: string): Storage {
    if (sizeBytes > this.limitBytes) {
      throw new OutOfMemoryError(
        sizeBytes,
        this.reservedBytes,
        `one array (${label}) may have at most ${formatBytes(this.limitBytes)} on this adapter`,
      );
    }
    // Rounding up must not make a size that is allowed into one that is not.
    const capacity = Math.min(sizeClassBytes(sizeBytes), this.limitBytes);
    const storage = this.free.get(capacity)?.pop() ?? this.create(capacity, label);
    storage.usedBytes = sizeBytes;
    this.live.set(storage, storage);
    this.liveBytes += capacity;
    if (this.liveBytes > this.peakBytes) this.peakBytes = this.liveBytes;
    return storage;
  }

  /** Memory that is never given back, and does not count as handed out: part of what programs need. */
  permanent(sizeBytes: number, label: string): Storage {
    return { ...this.create(sizeClassBytes(sizeBytes), label), usedBytes: sizeBytes };
  }

  /**
   * Takes memory back.
   *
   * @throws ReleaseError for memory that is not handed out, which two owners would share
   */
  release(storage: Storage): void {
    const pooled = this.live.get(storage);
    if (!pooled) {
      throw new ReleaseError(
        `storage ${storage.id} (${formatBytes(storage.sizeBytes)}) was released twice, or is a region of another`,
      );
    }
    this.live.delete(storage);
    this.liveBytes -= storage.sizeBytes;
    const waiting = pooled.home.get(storage.sizeBytes);
    if (waiting) waiting.push(pooled);
    else pooled.home.set(storage.sizeBytes, [pooled]);
  }

  /** Runs `body` with memory of `arena`; what it leaves handed out still returns there. */
  within<T>(arena: Arena, body: () => T): T {
    const { free } = this;
    this.free = arena.free;
    try {
      return body();
    } finally {
      this.settle();
      this.free = free;
    }
  }

  /** Whether the storage comes from where memory is taken at the moment. */
  isFromHere(storage: Storage): boolean {
    return this.live.get(storage)?.home === this.free;
  }

  /** Takes a storage that is handed out away from its arena: when released it is there for everybody. */
  share(storage: Storage): void {
    const pooled = this.live.get(storage);
    if (pooled) pooled.home = this.common;
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

  /** Destroys the buffers that wait for reuse; those of an arena only when it is named. */
  trim(arena?: Arena): void {
    const free = arena?.free ?? this.common;
    const waiting = [...free.values()].flat();
    this.beforeTrim(new Set(waiting.map(({ buffer }) => buffer)));
    for (const storage of waiting) {
      this.reservedBytes -= storage.sizeBytes;
      this.regions.delete(storage.id);
      storage.buffer.destroy();
    }
    free.clear();
  }

  /** A region inside an existing storage that can be bound by itself (`offsetBytes` must be a multiple of 256). */
  region(storage: Storage, offsetBytes: number, sizeBytes: number): Storage {
    const key = `${offsetBytes}+${sizeBytes}`;
    let regions = this.regions.get(storage.id);
    if (!regions) this.regions.set(storage.id, (regions = new Map()));
    let region = regions.get(key);
    if (!region) {
      const start = storage.offsetBytes + offsetBytes;
      region = {
        id: this.nextId++,
        buffer: storage.buffer,
        offsetBytes: start,
        sizeBytes,
        usedBytes: sizeBytes,
      };
      regions.set(key, region);
    }
    return region;
  }

  private create(capacityBytes: number, label: string): PooledStorage {
    const { reservedBytes } = this;
    this.device.pushErrorScope('out-of-memory');
    const buffer = this.device.createBuffer({ label, size: capacityBytes, usage: USAGE_STORAGE_COPY });
    this.failures.expect(
      this.device
        .popErrorScope()
        .then((error) =>
          error
            ? new OutOfMemoryError(capacityBytes, reservedBytes, `${label}: ${error.message}`)
            : undefined,
        ),
    );
    this.createdBuffers++;
    this.reservedBytes += capacityBytes;
    return {
      id: this.nextId++,
      buffer,
      offsetBytes: 0,
      sizeBytes: capacityBytes,
      usedBytes: capacityBytes,
      home: this.free,
    };
  }
}

/** Rounds up so that at most an eighth is wasted and near-equal sizes share a list. */
export function sizeClassBytes(sizeBytes: number): number {
  const step = Math.max(256, 2 ** (Math.floor(Math.log2(Math.max(sizeBytes, 1))) - 3));
  return Math.max(256, Math.ceil(sizeBytes / step) * step);
}
