import type { CommandRecorder } from './command-recorder.js';
import { ShapeError } from './errors.js';
import type { FailureLog } from './failure-log.js';
import type { GpuArray } from './gpu-array.js';
import { copyRange } from './transfers.js';

const MAP_READ_COPY_DST = 0x0001 | 0x0008;
const MAP_READ = 1;

/**
 * Memory of the host that arrays of f32 are read into again and again: without an allocation each time, and without a
 * copy between the GPU's and the reader's.
 */
export class Readback {
  private readonly buffer: GPUBuffer;

  /** @param size most elements of an array that is read */
  constructor(
    device: GPUDevice,
    private readonly commands: CommandRecorder,
    private readonly failures: FailureLog,
    readonly size: number,
    label: string,
  ) {
    this.buffer = device.createBuffer({ label, size: 4 * size, usage: MAP_READ_COPY_DST });
  }

  /**
   * The values of a contiguous f32 array as they are after all work recorded so far, which is handed to the GPU. They
   * are valid until `release`, which must come before the next `read`.
   */
  async read(array: GpuArray): Promise<Float32Array> {
    const { start, sizeBytes } = copyRange(array, 'read');
    if (array.dtype !== 'f32' || array.size > this.size) {
      throw new ShapeError(`${array} cannot be read into ${this.size} elements of f32`);
    }
    this.commands.copy(array.storage.buffer, start, this.buffer, 0, sizeBytes);
    this.commands.submit();
    try {
      await this.buffer.mapAsync(MAP_READ, 0, sizeBytes);
    } catch (error) {
      await this.failures.settle();
      throw error;
    }
    await this.failures.settle();
    return new Float32Array(this.buffer.getMappedRange(0, sizeBytes));
  }

  /** Gives the values that were read last back: nothing may use them any more. */
  release(): void {
    this.buffer.unmap();
  }

  /** Returns the memory. */
  destroy(): void {
    this.buffer.destroy();
  }
}
