import type { CommandRecorder } from './command-recorder.js';
import { ShapeError } from './errors.js';
import type { FailureLog } from './failure-log.js';
import { elementBytes, type DType, type GpuArray, type Storage } from './gpu-array.js';

/** Typed arrays that can be copied to and from GPU arrays. */
export type HostData = Float32Array | Uint32Array | Int32Array | Uint8Array | Uint8ClampedArray | Uint16Array;

/** @throws TypeError for data of other types */
export function dtypeOf(data: HostData): DType {
  if (data instanceof Float32Array) return 'f32';
  if (data instanceof Uint32Array) return 'u32';
  if (data instanceof Int32Array) return 'i32';
  if (data instanceof Uint16Array) return 'f16';
  if (data instanceof Uint8Array || data instanceof Uint8ClampedArray) return 'u8';
  const given = (data as object | undefined)?.constructor?.name ?? String(data);
  throw new TypeError(
    `data are of type ${given}: give a Float32Array, Int32Array, Uint32Array, Uint16Array or Uint8Array`,
  );
}

const MAP_READ_COPY_DST = 0x0001 | 0x0008;
const STORAGE_COPY = 0x80 | 0x04 | 0x08;
const POISON_BYTES = 1 << 20;

/** Moves bytes between host and GPU and within the GPU. Each transfer keeps its place among the recorded kernels. */
export class Transfers {
  private poisonSource: GPUBuffer | undefined;

  constructor(
    private readonly device: GPUDevice,
    private readonly commands: CommandRecorder,
    private readonly failures: FailureLog,
  ) {}

  write(array: GpuArray, data: HostData): void {
    const { buffer } = array.storage;
    if (data.byteLength !== array.sizeBytes) {
      throw new ShapeError(`${data.byteLength} bytes do not fill ${array} (${array.sizeBytes} bytes)`);
    }
    const { start, sizeBytes } = copyRange(array, 'write to');
    // The queue writes before anything that is submitted later, so work on the buffer must be submitted first.
    if (this.commands.uses(buffer)) this.commands.submit();
    let source: HostData = data;
    // Dawn takes neither views on shared memory nor sizes that are not whole words.
    if (typeof SharedArrayBuffer !== 'undefined' && data.buffer instanceof SharedArrayBuffer) {
      source = data.slice();
    }
    if (source.byteLength !== sizeBytes) {
      const padded = new Uint8Array(sizeBytes);
      padded.set(new Uint8Array(source.buffer, source.byteOffset, source.byteLength));
      source = padded;
    }
    this.device.queue.writeBuffer(
      buffer,
      start,
      source.buffer as ArrayBuffer,
      source.byteOffset,
      source.byteLength,
    );
  }

  clear(array: GpuArray): void {
    const { buffer } = array.storage;
    const { start, sizeBytes } = copyRange(array, 'clear');
    this.commands.clear(buffer, start, sizeBytes);
  }

  copy(source: GpuArray, target: GpuArray): void {
    if (source.sizeBytes !== target.sizeBytes) {
      throw new ShapeError(
        `cannot copy ${source} to ${target}: ${source.sizeBytes} and ${target.sizeBytes} bytes`,
      );
    }
    const from = copyRange(source, 'copy');
    const to = copyRange(target, 'copy to');
    const [a, b] = [source.storage.buffer, target.storage.buffer];
    if (a === b) throw new ShapeError(`cannot copy ${source} to ${target}: they lie in one buffer`);
    this.commands.copy(a, from.start, b, to.start, to.sizeBytes);
  }

  /** The bytes of a contiguous array. Waits for the GPU and for what it says about all work so far. */
  async read(array: GpuArray): Promise<ArrayBuffer> {
    requireContiguous(array, 'read');
    const { buffer } = array.storage;
    const start = startBytes(array);
    const skip = start % 4;
    const sizeBytes = roundUpToWords(array.sizeBytes + skip);
    const staging = this.device.createBuffer({ label: 'read', size: sizeBytes, usage: MAP_READ_COPY_DST });
    try {
      this.commands.copy(buffer, start - skip, staging, 0, sizeBytes);
      this.commands.submit();
      try {
        await staging.mapAsync(1);
      } catch (error) {
        await this.failures.settle();
        throw error;
      }
      const bytes = staging.getMappedRange().slice(skip, skip + array.sizeBytes);
      await this.failures.settle();
      return bytes;
    } finally {
      staging.destroy();
    }
  }

  /** Fills a storage with NaN, in the order of recording. */
  poison({ buffer, offsetBytes, sizeBytes }: Storage): void {
    const source = (this.poisonSource ??= this.createPoison());
    for (let done = 0; done < sizeBytes; done += POISON_BYTES) {
      const count = Math.min(POISON_BYTES, sizeBytes - done);
      this.commands.copy(source, 0, buffer, offsetBytes + done, count);
    }
  }

  private createPoison(): GPUBuffer {
    const buffer = this.device.createBuffer({ label: 'poison', size: POISON_BYTES, usage: STORAGE_COPY });
    this.device.queue.writeBuffer(buffer, 0, new Uint32Array(POISON_BYTES / 4).fill(0xffffffff));
    return buffer;
  }
}

function startBytes({ storage, offset, dtype }: GpuArray): number {
  return storage.offsetBytes + offset * elementBytes(dtype);
}

function roundUpToWords(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}

function requireContiguous(array: GpuArray, action: string): void {
  if (!array.isContiguous) throw new ShapeError(`cannot ${action} the strided view ${array}`);
}

/**
 * Where a contiguous array lies in its buffer, in whole words, which is what copies move. An array may end within a
 * word only where nothing follows it.
 */
export function copyRange(array: GpuArray, action: string): { start: number; sizeBytes: number } {
  requireContiguous(array, action);
  const { storage, sizeBytes } = array;
  const start = startBytes(array);
  const isLast = start + sizeBytes === storage.offsetBytes + storage.usedBytes;
  if (start % 4 !== 0 || (sizeBytes % 4 !== 0 && !isLast)) {
    throw new ShapeError(`cannot ${action} ${array}: it starts or ends within a 4-byte word that it shares`);
  }
  return { start, sizeBytes: roundUpToWords(sizeBytes) };
}
