import { BufferPool } from './buffer-pool.js';
import { DeviceLostError, KernelValidationError, ShapeError, type TubeletError } from './errors.js';
import { GpuArray, elementBytes, product, type DType, type Storage } from './gpu-array.js';
import { Ledger, type Cost } from './ledger.js';
import { Profiler } from './profiler.js';
import type { Program, ProgramSource } from './program.js';

/** Typed arrays that can be copied to and from GPU arrays. */
export type HostData = Float32Array | Uint32Array | Int32Array | Uint8Array | Uint16Array;

/** What the adapter is and can do. */
export interface AdapterSummary {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** A Vulkan implementation on the CPU; the choice of kernel variants depends on it. */
  readonly isSoftware: boolean;
  readonly subgroupMinSize: number;
  readonly subgroupMaxSize: number;
  readonly features: readonly string[];
}

/** Counts that do not depend on the machine's speed. */
export interface RuntimeCounters {
  dispatches: number;
  submits: number;
  pipelinesCreated: number;
  bindGroupsCreated: number;
}

// Enough to keep a GPU busy while the next batch is recorded, few enough to start early.
const DISPATCHES_PER_SUBMIT = 256;
// Stands for the kernel in errors that WebGPU reports without saying which call they belong to.
const UNATTRIBUTED = '(see message)';
const MAP_READ_COPY_DST = 0x0001 | 0x0008;

/**
 * A device with everything needed to run kernels on it: buffer pool, compiled programs, bind groups, the
 * command encoder under construction, the cost ledger and the profiler. Work is recorded and submitted in
 * batches; nothing waits for the GPU except `read` and `synchronize`, which are also where errors surface.
 */
export class Runtime {
  readonly pool: BufferPool;
  readonly ledger = new Ledger();
  readonly counters: RuntimeCounters = {
    dispatches: 0,
    submits: 0,
    pipelinesCreated: 0,
    bindGroupsCreated: 0,
  };
  /** Names of variants that selection must use, by kernel; set by tests and benchmarks. */
  readonly forcedVariants = new Map<string, string>();
  /** When set, every new array starts as NaN, so that a kernel that leaves elements unwritten is found. */
  poisonAllocations = false;

  private readonly programs = new Map<string, Program>();
  private readonly bindGroups = new Map<string, GPUBindGroup>();
  private readonly scopes: Set<Storage>[] = [];
  private encoder: GPUCommandEncoder | undefined;
  private pass: GPUComputePassEncoder | undefined;
  private recorded = 0;
  private profiler: Profiler | undefined;
  private failure: TubeletError | undefined;
  private pendingChecks: Promise<void>[] = [];
  private destroyed = false;

  constructor(
    readonly device: GPUDevice,
    readonly adapter: AdapterSummary,
  ) {
    this.pool = new BufferPool(device, (error) => this.fail(error));
    device.addEventListener('uncapturederror', (event) => {
      const { error } = event as GPUUncapturedErrorEvent;
      this.fail(new KernelValidationError(UNATTRIBUTED, error.message));
    });
    void device.lost.then((info) => {
      if (!this.destroyed) this.fail(new DeviceLostError(String(info.reason), info.message), true);
    });
  }

  hasFeature(name: string): boolean {
    return this.device.features.has(name as GPUFeatureName);
  }

  // ---- memory ------------------------------------------------------------------------------------------

  /** A new array with undefined contents; released at the end of the innermost `scope`, if there is one. */
  empty(shape: readonly number[], dtype: DType = 'f32', label = 'array'): GpuArray {
    this.throwIfFailed();
    for (const extent of shape) {
      if (!Number.isInteger(extent) || extent < 1) {
        throw new ShapeError(
          `${label}: shape [${shape.join(', ')}] has an extent that is not a positive integer`,
        );
      }
    }
    const storage = this.pool.acquire(product(shape) * elementBytes(dtype), label);
    this.scopes[this.scopes.length - 1]?.add(storage);
    const array = new GpuArray(storage, dtype, shape);
    if (this.poisonAllocations) this.poison(storage);
    return array;
  }

  /** A new array with the given contents (row-major). */
  upload(data: HostData, shape: readonly number[], dtype: DType = dtypeOf(data), label = 'upload'): GpuArray {
    const array = this.empty(shape, dtype, label);
    this.write(array, data);
    return array;
  }

  /** Gives the memory of `array` back at once; the caller must not use it or any view of it again. */
  release(array: GpuArray): void {
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      if (this.scopes[i]!.delete(array.storage)) break;
    }
    this.pool.release(array.storage);
  }

  /** Takes `array` out of the current scope: it lives until `release`. */
  keep(array: GpuArray): GpuArray {
    this.scopes[this.scopes.length - 1]?.delete(array.storage);
    return array;
  }

  /** Releases every array made inside `body` when it ends, except those passed to `keep`. */
  scope<T>(body: () => T): T {
    this.scopes.push(new Set());
    const finish = () => {
      for (const storage of this.scopes.pop()!) this.pool.release(storage);
      if (this.scopes.length === 0) this.pool.settle();
    };
    let result: T;
    try {
      result = body();
    } catch (error) {
      finish();
      throw error;
    }
    if (result instanceof Promise) return result.finally(finish) as T;
    finish();
    return result;
  }

  /** Overwrites a contiguous array. Ordered after all kernels recorded so far. */
  write(array: GpuArray, data: HostData): void {
    this.throwIfFailed();
    if (!array.isContiguous) throw new ShapeError(`cannot write to the strided view ${array}`);
    if (data.byteLength !== array.sizeBytes) {
      throw new ShapeError(`${data.byteLength} bytes do not fill ${array} (${array.sizeBytes} bytes)`);
    }
    this.submit();
    let source: HostData = data;
    // Dawn takes neither views on shared memory nor sizes that are not whole words.
    if (typeof SharedArrayBuffer !== 'undefined' && data.buffer instanceof SharedArrayBuffer)
      source = data.slice();
    if (source.byteLength % 4 !== 0) {
      const padded = new Uint8Array(Math.ceil(source.byteLength / 4) * 4);
      padded.set(new Uint8Array(source.buffer, source.byteOffset, source.byteLength));
      source = padded;
    }
    const { buffer, offsetBytes } = array.storage;
    this.device.queue.writeBuffer(
      buffer,
      offsetBytes + array.offset * elementBytes(array.dtype),
      source.buffer as ArrayBuffer,
      source.byteOffset,
      source.byteLength,
    );
  }

  /** Fills a whole contiguous array with zero bits, by a copy engine where there is one. */
  clear(array: GpuArray): void {
    if (
      !array.isContiguous ||
      array.sizeBytes % 4 !== 0 ||
      (array.offset * elementBytes(array.dtype)) % 4 !== 0
    ) {
      throw new ShapeError(`cannot clear the strided or unaligned view ${array}`);
    }
    this.endPass();
    this.currentEncoder().clearBuffer(
      array.storage.buffer,
      array.storage.offsetBytes + array.offset * elementBytes(array.dtype),
      array.sizeBytes,
    );
  }

  /** Copies `source` over `target`; both contiguous, of the same size in bytes (a multiple of 4). */
  copy(source: GpuArray, target: GpuArray): void {
    if (!source.isContiguous || !target.isContiguous || source.sizeBytes !== target.sizeBytes) {
      throw new ShapeError(`cannot copy ${source} to ${target}`);
    }
    this.endPass();
    this.currentEncoder().copyBufferToBuffer(
      source.storage.buffer,
      source.storage.offsetBytes + source.offset * elementBytes(source.dtype),
      target.storage.buffer,
      target.storage.offsetBytes + target.offset * elementBytes(target.dtype),
      Math.ceil(source.sizeBytes / 4) * 4,
    );
  }

  /** The contents of a contiguous f32 array. Waits for the GPU. */
  async read(array: GpuArray): Promise<Float32Array> {
    if (array.dtype !== 'f32') throw new ShapeError(`read() takes f32 arrays, got ${array}; use readBytes()`);
    return new Float32Array(await this.readBytes(array));
  }

  /** The bytes of a contiguous array. Waits for the GPU; the place where errors of earlier work are thrown. */
  async readBytes(array: GpuArray): Promise<ArrayBuffer> {
    this.throwIfFailed();
    if (!array.isContiguous) throw new ShapeError(`cannot read the strided view ${array}`);
    const start = array.storage.offsetBytes + array.offset * elementBytes(array.dtype);
    const skip = start % 4;
    const sizeBytes = Math.ceil((array.sizeBytes + skip) / 4) * 4;
    const staging = this.device.createBuffer({ label: 'read', size: sizeBytes, usage: MAP_READ_COPY_DST });
    this.endPass();
    this.currentEncoder().copyBufferToBuffer(array.storage.buffer, start - skip, staging, 0, sizeBytes);
    this.submit();
    try {
      await staging.mapAsync(1);
    } catch (error) {
      await this.settleChecks();
      this.throwIfFailed();
      throw error;
    }
    const bytes = staging.getMappedRange().slice(skip, skip + array.sizeBytes);
    staging.destroy();
    await this.settleChecks();
    this.throwIfFailed();
    return bytes;
  }

  // ---- kernels -----------------------------------------------------------------------------------------

  /** The program under `key`, compiled on first use. The key must name everything that `build` depends on. */
  program(key: string, build: () => ProgramSource): Program {
    let program = this.programs.get(key);
    if (!program) {
      program = this.compile(build());
      this.programs.set(key, program);
    }
    return program;
  }

  /** Records one kernel. `arrays` are bound in the order of the program's bindings. */
  dispatch(
    program: Program,
    arrays: readonly GpuArray[],
    workgroups: readonly [number, number?, number?],
    cost: Cost,
  ): void {
    this.throwIfFailed();
    const [x, y = 1, z = 1] = workgroups;
    const limit = this.device.limits.maxComputeWorkgroupsPerDimension;
    if (x > limit || y > limit || z > limit) {
      throw new ShapeError(
        `kernel ${program.kernel} (${program.detail}): ${x}×${y}×${z} workgroups exceed ${limit}`,
      );
    }
    const bindGroup = this.bindGroup(program, arrays);
    const pass = this.profiler ? this.profiledPass(program, cost) : this.currentPass();
    pass.setPipeline(program.pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(x, y, z);
    this.counters.dispatches++;
    this.ledger.add(program.kernel, cost);
    if (this.profiler) this.endPass();
    if (++this.recorded >= DISPATCHES_PER_SUBMIT || this.profiler?.isFull) this.submit();
  }

  /**
   * Spreads `count` workgroups over two dimensions, since one alone is limited to 65,535. Kernels recover the
   * linear index as `workgroup_id.x + workgroup_id.y * GRID_X` and must ignore indices ≥ count.
   */
  linearGrid(count: number): readonly [number, number] {
    const limit = this.device.limits.maxComputeWorkgroupsPerDimension;
    if (count <= limit) return [Math.max(count, 1), 1];
    const y = Math.ceil(count / limit);
    return [Math.ceil(count / y), y];
  }

  /** Hands everything recorded so far to the GPU, without waiting. */
  submit(): void {
    this.endPass();
    if (!this.encoder) return;
    const afterSubmit = this.profiler?.resolve(this.encoder);
    this.device.queue.submit([this.encoder.finish()]);
    this.encoder = undefined;
    this.recorded = 0;
    this.counters.submits++;
    afterSubmit?.();
  }

  /** Waits until the GPU has finished all recorded work; throws the first error that occurred in it. */
  async synchronize(): Promise<void> {
    this.throwIfFailed();
    this.submit();
    await this.device.queue.onSubmittedWorkDone();
    await this.settleChecks();
    this.throwIfFailed();
  }

  /** Starts timing every kernel; returns false when the adapter has no timestamps. */
  startProfiling(): boolean {
    if (!this.hasFeature('timestamp-query')) return false;
    this.submit();
    this.profiler = new Profiler(this.device);
    return true;
  }

  /** Ends profiling; per-kernel times since `startProfiling`, slowest first. */
  async stopProfiling(): ReturnType<Profiler['report']> {
    const profiler = this.profiler;
    if (!profiler) return [];
    await this.synchronize();
    this.profiler = undefined;
    return profiler.report();
  }

  /** Ends all use of the device. */
  destroy(): void {
    this.destroyed = true;
    this.device.destroy();
  }

  // ---- internals ---------------------------------------------------------------------------------------

  private compile(source: ProgramSource): Program {
    const label = `${source.kernel} ${source.detail}`;
    const { device } = this;
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ label, code: source.wgsl });
    const layout = device.createBindGroupLayout({
      label,
      entries: source.access.map((access, binding) => ({
        binding,
        visibility: 4, // GPUShaderStage.COMPUTE
        buffer: { type: access === 'read' ? ('read-only-storage' as const) : ('storage' as const) },
      })),
    });
    const pipeline = device.createComputePipeline({
      label,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: 'main' },
    });
    this.check(
      device.popErrorScope().then((error) => {
        // A rejected program also makes its dispatches fail; those messages arrive first but say less.
        const consequence =
          this.failure instanceof KernelValidationError && this.failure.kernel === UNATTRIBUTED;
        if (error)
          this.fail(
            new KernelValidationError(source.kernel, `${source.detail}: ${error.message}`),
            consequence,
          );
      }),
    );
    this.counters.pipelinesCreated++;
    return { ...source, id: this.programs.size + 1, pipeline, layout };
  }

  private bindGroup(program: Program, arrays: readonly GpuArray[]): GPUBindGroup {
    if (arrays.length !== program.access.length) {
      throw new ShapeError(
        `kernel ${program.kernel} has ${program.access.length} bindings, but ${arrays.length} arrays were given`,
      );
    }
    let key = String(program.id);
    for (const array of arrays) key += `,${array.storage.id}`;
    let group = this.bindGroups.get(key);
    if (!group) {
      group = this.device.createBindGroup({
        label: `${program.kernel} ${program.detail}`,
        layout: program.layout,
        entries: arrays.map(({ storage }, binding) => ({
          binding,
          resource: { buffer: storage.buffer, offset: storage.offsetBytes, size: storage.sizeBytes },
        })),
      });
      this.bindGroups.set(key, group);
      this.counters.bindGroupsCreated++;
    }
    return group;
  }

  private currentEncoder(): GPUCommandEncoder {
    this.encoder ??= this.device.createCommandEncoder({ label: 'tubelet' });
    return this.encoder;
  }

  private currentPass(): GPUComputePassEncoder {
    this.pass ??= this.currentEncoder().beginComputePass({ label: 'tubelet' });
    return this.pass;
  }

  private profiledPass(program: Program, cost: Cost): GPUComputePassEncoder {
    this.endPass();
    const timestampWrites = this.profiler!.next(program.kernel, cost);
    this.pass = this.currentEncoder().beginComputePass({ label: program.kernel, timestampWrites });
    return this.pass;
  }

  private endPass(): void {
    this.pass?.end();
    this.pass = undefined;
  }

  private poison(storage: Storage): void {
    this.submit();
    const words = new Uint32Array(storage.sizeBytes / 4).fill(0xffffffff);
    this.device.queue.writeBuffer(storage.buffer, storage.offsetBytes, words);
  }

  private fail(error: TubeletError, replace = false): void {
    if (replace || !this.failure) this.failure = error;
  }

  private throwIfFailed(): void {
    if (this.failure) throw this.failure;
  }

  private check(pending: Promise<void>): void {
    this.pendingChecks.push(pending.catch(() => undefined));
  }

  private async settleChecks(): Promise<void> {
    if (this.pendingChecks.length > 0) await Promise.all(this.pendingChecks.splice(0));
  }
}

function dtypeOf(data: HostData): DType {
  if (data instanceof Float32Array) return 'f32';
  if (data instanceof Uint32Array) return 'u32';
  if (data instanceof Int32Array) return 'i32';
  if (data instanceof Uint16Array) return 'f16';
  return 'u8';
}
