import { requireF32, requireU32, type KernelData } from './wgsl.js';

/** Where the data of a dispatch lie. */
export interface UniformBlock {
  readonly id: number;
  readonly buffer: GPUBuffer;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

// What may be bound by itself starts on a multiple of 256 bytes.
const STEP_BYTES = 256;
const BUFFER_BYTES = 1 << 16;
// GPUBufferUsage.UNIFORM | COPY_DST; the numbers are fixed by the WebGPU specification.
const USAGE = 0x40 | 0x08;

/**
 * Numbers that kernels get as data, each set of them once: a dispatch binds its block beside its arrays, so that a
 * step that is replayed writes none. Blocks stay as long as the device: a shape seen before finds its own again.
 */
export class UniformBlocks {
  private readonly known = new Map<string, UniformBlock>();
  private buffer: GPUBuffer | undefined;
  private usedBytes = 0;

  constructor(private readonly device: GPUDevice) {}

  /**
   * The block with these numbers, in their order.
   *
   * @throws RangeError for one that is neither u32 nor f32
   */
  block(data: KernelData): UniformBlock {
    const words = new Uint32Array(Object.keys(data).length);
    const reals = new Float32Array(words.buffer);
    let at = 0;
    for (const name in data) {
      const value = data[name]!;
      if (typeof value === 'object') reals[at++] = requireF32(name, value.f32);
      else words[at++] = requireU32(name, value);
    }
    const key = words.join();
    let block = this.known.get(key);
    if (!block) this.known.set(key, (block = this.create(words)));
    return block;
  }

  private create(words: Uint32Array<ArrayBuffer>): UniformBlock {
    const sizeBytes = Math.ceil(words.byteLength / 16) * 16;
    const takenBytes = Math.ceil(sizeBytes / STEP_BYTES) * STEP_BYTES;
    if (!this.buffer || this.usedBytes + takenBytes > BUFFER_BYTES) {
      this.buffer = this.device.createBuffer({ label: 'kernel data', size: BUFFER_BYTES, usage: USAGE });
      this.usedBytes = 0;
    }
    const offsetBytes = this.usedBytes;
    this.usedBytes += takenBytes;
    // No work recorded so far reads these bytes: the queue may write them at once.
    this.device.queue.writeBuffer(this.buffer, offsetBytes, words);
    return { id: this.known.size + 1, buffer: this.buffer, offsetBytes, sizeBytes };
  }
}
