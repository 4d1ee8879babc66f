import type { AdapterSummary } from './adapter.js';
import { Allocations } from './allocations.js';
import { BufferPool, type Arena } from './buffer-pool.js';
import { CommandRecorder, attributed } from './command-recorder.js';
import { DeviceLostError, OutOfMemoryError, RecordingError, ShapeError } from './errors.js';
import { FailureLog } from './failure-log.js';
import { GatheredKernels } from './gathered-kernels.js';
import { GpuArray, type DType } from './gpu-array.js';
import { halfValues } from './half.js';
import { joinedInputs } from './joined-kernels.js';
import { Ledger } from './ledger.js';
import { precompiler } from './precompile.js';
import { Profiler, type KernelObserver, type ProfileEntry } from './profiler.js';
import { ProgramCache } from './program-cache.js';
import type { KernelCall, Program, SourcedCall } from './program.js';
import { Readback } from './readback.js';
import { Recording } from './recording.js';
import type { ShapeClass } from './shape-class.js';
import { Transfers, dtypeOf, type HostData } from './transfers.js';

export type { AdapterSummary, MatrixUnitConfig } from './adapter.js';
export type { HostData } from './transfers.js';

/** Precision that the inputs of products may be rounded to, on the way or where they are stored. */
export type Precision = 'f32' | 'f16';

/** What was measured on this device. */
export interface VariantTuning {
  /** Name of the fastest variant of a kernel on a class of shapes; undefined where nothing like it was measured. */
  choose(kernel: string, shape: ShapeClass): string | undefined;
}

/** Counts that do not depend on the machine's speed. */
export interface RuntimeCounters {
  dispatches: number;
  submits: number;
  pipelinesCreated: number;
  bindGroupsCreated: number;
}

/**
 * A device with everything needed to run kernels on it: buffer pool, compiled programs, bind groups, the
 * command encoder under construction, the cost ledger and the profiler. Work is recorded and submitted in
 * batches; nothing waits for the GPU except `read` and `synchronize`, which are also where errors surface:
 * the first error is thrown there and by every later call.
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
  /** What was measured on this device, to be set before the first kernel runs; without it, shipped choices hold. */
  tuning: VariantTuning | undefined;
  /**
   * What inputs of products may be rounded to. `f16` lets products use matrix units, where the device has them and they
   * are the better choice, and models store what feeds products so: errors then are those of 11-bit inputs, and values
   * above 65504 are infinite. bf16 does not exist in WGSL.
   */
  precision: Precision = 'f32';
  /** When set, every new array starts as NaN, so that a kernel that leaves elements unwritten is found. */
  poisonAllocations = false;

  /** Whether `together` makes one dispatch of several kernels. */
  joinsKernels: boolean;

  private readonly failures = new FailureLog();
  /** Who owns which memory, for engines that have scopes of their own. */
  readonly allocations: Allocations;
  private readonly commands: CommandRecorder;
  private readonly transfers: Transfers;
  private readonly programs: ProgramCache;
  private readonly tables = new Map<string, GpuArray>();
  private readonly gathered: GatheredKernels;

  /** @param openCompilers opens so many further devices at the most, which only compile: see `compileLike` */
  constructor(
    readonly device: GPUDevice,
    readonly adapter: AdapterSummary,
    private readonly openCompilers: (most: number) => Promise<readonly GPUDevice[]> = () =>
      Promise.resolve([]),
  ) {
    const { failures } = this;
    this.joinsKernels = !adapter.isSoftware;
    this.commands = new CommandRecorder(device, failures, this.counters);
    this.programs = new ProgramCache(device, failures, this.counters);
    this.gathered = new GatheredKernels(
      (call) => this.programs.sourced(call),
      device.limits,
      (kernels) => this.dispatch(kernels),
    );
    this.transfers = new Transfers(device, this.commands, failures);
    this.pool = new BufferPool(device, failures, (buffers) => {
      this.submit();
      this.programs.forget(buffers);
    });
    this.allocations = new Allocations(this.pool);
    device.addEventListener('uncapturederror', (event) => {
      const { error } = event as GPUUncapturedErrorEvent;
      const isMemory = error.constructor.name === 'GPUOutOfMemoryError';
      failures.record(
        isMemory
          ? new OutOfMemoryError(0, this.pool.reservedBytes, error.message)
          : attributed(error.message, this.programs.programs()),
      );
    });
    void device.lost.then(({ reason, message }) =>
      failures.record(new DeviceLostError(String(reason), message)),
    );
  }

  /** What results that feed products may be stored in: f16 where that is the precision and the device has it. */
  get activationDtype(): 'f32' | 'f16' {
    return this.precision === 'f16' && this.hasFeature('shader-f16') ? 'f16' : 'f32';
  }

  hasFeature(name: string): boolean {
    return this.device.features.has(name as GPUFeatureName);
  }

  // ---- memory ------------------------------------------------------------------------------------------

  /**
   * A new array with undefined contents; released at the end of the innermost `scope`, if there is one.
   *
   * @throws ShapeError for extents that are not positive integers, OutOfMemoryError for more bytes than the adapter
   *   allows in one array
   */
  empty(shape: readonly number[], dtype: DType = 'f32', label = 'array'): GpuArray {
    this.failures.throwIfFailed();
    const array = this.allocations.empty(shape, dtype, label);
    if (this.poisonAllocations) {
      this.gathered.flush();
      this.transfers.poison(array.storage);
    }
    return array;
  }

  /** A new array with the given contents (row-major). */
  upload(data: HostData, shape: readonly number[], dtype: DType = dtypeOf(data), label = 'upload'): GpuArray {
    this.failures.throwIfFailed();
    this.gathered.flush();
    this.requireRepeatable('upload');
    const array = this.allocations.empty(shape, dtype, label);
    try {
      this.transfers.write(array, data);
    } catch (error) {
      this.allocations.release(array);
      throw error;
    }
    return array;
  }

  /**
   * Gives the memory of `array` back at once; the caller must not use it or any view of it again.
   *
   * @throws ReleaseError when it was given back before
   */
  release(array: GpuArray): void {
    if (this.commands.recording && !this.pool.isFromHere(array.storage)) this.requireRepeatable('release');
    this.allocations.release(array);
  }

  /** Takes `array` out of the scope that owns it: it lives until `release`. */
  keep(array: GpuArray): GpuArray {
    this.requireRepeatable('keep');
    this.pool.share(array.storage);
    return this.allocations.keep(array);
  }

  /**
   * Releases every array made inside `body` when it ends, except those passed to `keep`; a promise ends when it
   * settles. Scopes nest; asynchronous ones must not overlap otherwise (`ReleaseError`).
   */
  scope<T>(body: () => T): T {
    return this.allocations.scope(body);
  }

  /**
   * The numbers under `key` as an array that kernels only read, uploaded on first use and kept, as programs are: what
   * a program needs and is too long for a constant. The key must name everything that `build` depends on.
   */
  table(key: string, build: () => Uint32Array): GpuArray {
    let table = this.tables.get(key);
    if (!table) {
      this.requireRepeatable('table');
      const data = build();
      table = new GpuArray(this.pool.permanent(data.byteLength, 'table'), 'u32', [data.length]);
      this.transfers.write(table, data);
      this.tables.set(key, table);
    }
    return table;
  }

  /** f32 [size] of zeros, which kernels only read. */
  zeros(size: number): GpuArray {
    const length = 2 ** Math.ceil(Math.log2(size));
    const { storage } = this.table(`zeros ${length}`, () => new Uint32Array(length));
    return new GpuArray(storage, 'f32', [size]);
  }

  /** Overwrites a contiguous array. Ordered after all kernels recorded so far. */
  write(array: GpuArray, data: HostData): void {
    this.failures.throwIfFailed();
    this.gathered.flush();
    this.requireRepeatable('write');
    this.transfers.write(array, data);
  }

  /** Fills a whole contiguous array with zero bits, by a copy engine where there is one. */
  clear(array: GpuArray): void {
    this.failures.throwIfFailed();
    this.gathered.flush();
    this.transfers.clear(array);
  }

  /** Copies `source` over `target`: both contiguous, of the same size in bytes, in different buffers. */
  copy(source: GpuArray, target: GpuArray): void {
    this.failures.throwIfFailed();
    this.gathered.flush();
    this.transfers.copy(source, target);
  }

  /** The values of a contiguous array of f32 or f16. Waits for the GPU. */
  async read(array: GpuArray): Promise<Float32Array> {
    if (array.dtype !== 'f32' && array.dtype !== 'f16') {
      throw new ShapeError(`read() takes arrays of f32 or f16, got ${array}; use readBytes()`);
    }
    const bytes = await this.readBytes(array);
    return array.dtype === 'f16' ? halfValues(new Uint16Array(bytes)) : new Float32Array(bytes);
  }

  /** The bytes of a contiguous array. Waits for the GPU; the place where errors of earlier work are thrown. */
  async readBytes(array: GpuArray): Promise<ArrayBuffer> {
    this.failures.throwIfFailed();
    this.requireRepeatable('read');
    this.gathered.flush();
    return this.transfers.read(array);
  }

  // ---- kernels -----------------------------------------------------------------------------------------

  /**
   * Compiles the programs that another runtime has used, such as one on paper on which a step was taken, side by side,
   * so that the first step here need not wait for one after the other. Does nothing that would not be done later.
   *
   * @throws KernelValidationError for the first program that the device refuses
   */
  async compileLike(
    other: Runtime,
    onProgress: (done: number, total: number) => void = () => undefined,
  ): Promise<void> {
    this.failures.throwIfFailed();
    const missing = this.programs.missingFrom(other.programs);
    if (missing.length === 0) return;
    const compilers = await this.openCompilers(missing.length);
    try {
      await this.programs.compileAll(missing, compilers.map(precompiler), onProgress);
    } finally {
      for (const device of compilers) device.destroy();
    }
  }

  /**
   * Records one kernel; its program is compiled on first use.
   *
   * @throws ShapeError when two arrays share a buffer that is written, and for workgroup counts beyond the device's
   *   limit; SyntaxError for arrays that are not those of the WGSL
   */
  run(call: KernelCall): void {
    this.failures.throwIfFailed();
    this.gathered.add(call);
  }

  /**
   * Runs `body` and joins its kernels (horizontal fusion): neighbours among them become one dispatch where their
   * workgroups are of one size and none reads what another one writes, so that they share the GPU instead of waiting for
   * each other. What depends on another stays apart, in its order. On a software driver, which gains nothing by it, all
   * stay apart.
   */
  together<T>(body: () => T): T {
    return this.joinsKernels ? this.gathered.during(body) : body();
  }

  /** Whether a `together` is under way. */
  get isGathering(): boolean {
    return this.gathered.isGathering;
  }

  /** Records kernels as one dispatch. */
  protected dispatch(kernels: readonly SourcedCall[]): void {
    const [first] = kernels as [SourcedCall];
    const inputs = kernels.length > 1 ? joinedInputs(kernels, (count) => this.linearGrid(count)) : undefined;
    const { program, binding } = inputs
      ? this.programs.prepareJoined(kernels, inputs)
      : this.programs.prepare(first);
    const [x, y = 1, z = 1] = inputs?.workgroups ?? first.call.workgroups;
    this.requireWorkgroups(program, x, y, z);
    const costs = kernels.map(({ call: { kernel, cost } }) => ({ kernel, cost }));
    this.commands.dispatch(program, binding, [x, y, z], costs);
    for (const { kernel, cost } of costs) this.ledger.add(kernel, cost);
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

  /**
   * Runs `body` with memory of `arena` and takes down the commands that it records, so that `replay` can repeat them
   * on the same memory without running it. Nothing in it may move data from or to the host, nor release or keep
   * memory of others (`RecordingError`); what it makes must not be used after something else has run in the arena.
   */
  record<T>(arena: Arena, body: () => T): { readonly result: T; readonly recording: Recording } {
    this.failures.throwIfFailed();
    this.requireRepeatable('record');
    this.gathered.flush();
    const recording = new Recording();
    this.commands.recording = recording;
    try {
      const result = this.pool.within(arena, () => this.scope(body));
      if (result instanceof Promise) throw new RecordingError('a recorded step cannot be asynchronous');
      return { result, recording };
    } finally {
      this.commands.recording = undefined;
    }
  }

  /** Records the commands of `recording` again; its arena must not have been trimmed. */
  replay(recording: Recording): void {
    this.failures.throwIfFailed();
    this.gathered.flush();
    this.requireRepeatable('replay');
    this.commands.replay(recording);
    this.ledger.addAll(recording.ledger);
  }

  /**
   * Hands everything recorded so far to the GPU and calls `action`, which does not wait: at once, and in a recorded
   * step every time that it is replayed, at the same place between its kernels.
   */
  act(action: () => void): void {
    this.failures.throwIfFailed();
    this.gathered.flush();
    this.commands.act(action);
  }

  /** Memory of the host to read arrays of up to `size` elements of f32 into, many times; the caller destroys it. */
  readback(size: number, label: string): Readback {
    return new Readback(this.device, this.commands, this.failures, size, label);
  }

  /** Hands everything recorded so far to the GPU, without waiting. */
  submit(): void {
    this.gathered.flush();
    this.commands.submit();
  }

  /** Waits until the GPU has finished all recorded work; throws the first error that occurred in it. */
  async synchronize(): Promise<void> {
    this.failures.throwIfFailed();
    this.submit();
    await this.device.queue.onSubmittedWorkDone();
    await this.failures.settle();
  }

  /**
   * Starts timing every kernel anew; returns false when the adapter has no timestamps.
   *
   * @param onKernels is told when each kernel ran, some time after it did
   */
  startProfiling(onKernels?: KernelObserver): boolean {
    if (!this.hasFeature('timestamp-query')) return false;
    this.submit();
    this.commands.profiler?.destroy();
    this.commands.profiler = new Profiler(this.device, onKernels);
    return true;
  }

  /** Ends profiling; per-kernel times since `startProfiling`, slowest first. */
  async stopProfiling(): Promise<ProfileEntry[]> {
    const { profiler } = this.commands;
    if (!profiler) return [];
    try {
      await this.synchronize();
      return await profiler.report();
    } finally {
      this.commands.profiler = undefined;
      profiler.destroy();
    }
  }

  /** Ends all use of the device: every later call throws `DeviceLostError`, reads under way reject with it. */
  destroy(): void {
    this.failures.record(new DeviceLostError('destroyed', 'Runtime.destroy() was called'));
    this.device.destroy();
  }

  private requireWorkgroups({ kernel, detail }: Program, x: number, y: number, z: number): void {
    const limit = this.device.limits.maxComputeWorkgroupsPerDimension;
    if (x >= 1 && x <= limit && y >= 1 && y <= limit && z >= 1 && z <= limit) return;
    throw new ShapeError(
      `kernel ${kernel} (${detail}): ${x}×${y}×${z} workgroups, each must be 1 … ${limit}`,
    );
  }

  private requireRepeatable(action: string): void {
    if (!this.commands.recording) return;
    throw new RecordingError(
      `${action}() inside a recorded step would not happen again when it is replayed: do it before the step, on` +
        ' arrays that the step only reads',
    );
  }
}
