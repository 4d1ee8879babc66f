import { KernelValidationError, ShapeError } from './errors.js';
import type { FailureLog } from './failure-log.js';
import type { GpuArray, Storage } from './gpu-array.js';
import { joinedSource, type JoinedInputs } from './joined-kernels.js';
import {
  programLabel,
  type KernelCall,
  type Program,
  type ProgramSource,
  type SourcedCall,
} from './program.js';
import { UniformBlocks, type UniformBlock } from './uniforms.js';
import { generateWgsl, type WgslConstants } from './wgsl.js';

// Numbers of WGSL files, which are short where their text is long; those of a process, so that keys of several runtimes
// mean the same.
const files = new Map<string, number>();

/** Has a driver compile a program that another device will be given. */
export type Precompile = (source: ProgramSource) => Promise<void>;

/** The arrays of one dispatch, bound, and the buffers that they lie in. */
export interface Binding {
  readonly group: GPUBindGroup;
  readonly buffers: readonly GPUBuffer[];
}

/** A binding with what it is found by. */
interface KnownBinding extends Binding {
  readonly program: Program;
  readonly storages: readonly Storage[];
  readonly block: UniformBlock | undefined;
}

/**
 * Compiled programs, and bind groups by program, storages and data. Both are made once and found again. A program is
 * found by its files and by everything that it is generated from, so that no dispatcher can forget a part of its key;
 * kernels whose text is the same share one.
 */
export class ProgramCache {
  private readonly byKey = new Map<string, Program>();
  private readonly sources = new Map<string, ProgramSource>();
  /** By their text. */
  private readonly compiled = new Map<string, Program>();
  /** By a number made of the program's and the storages' ids, which several may share. */
  private readonly bindings = new Map<number, KnownBinding[]>();
  private readonly blocks: UniformBlocks;

  constructor(
    private readonly device: GPUDevice,
    private readonly failures: FailureLog,
    private readonly counters: { pipelinesCreated: number; bindGroupsCreated: number },
  ) {
    this.blocks = new UniformBlocks(device);
  }

  /** All programs compiled so far. */
  programs(): Iterable<Program> {
    return this.byKey.values();
  }

  /** The programs that `other` has and this cache does not have. */
  missingFrom(other: ProgramCache): ProgramSource[] {
    return [...other.compiled.values()].filter(({ wgsl }) => !this.compiled.has(wgsl));
  }

  /**
   * Compiles programs side by side: where drivers compile in the end only when a program first runs, by running nothing
   * of it on other devices (`precompile`, as many at a time as there are).
   *
   * @throws KernelValidationError for the first program that does not compile
   */
  async compileAll(
    missing: readonly ProgramSource[],
    precompile: readonly Precompile[],
    onProgress: (done: number, total: number) => void,
  ): Promise<void> {
    let next = 0;
    let done = 0;
    const take = async (prepare: Precompile | undefined) => {
      for (let at = next++; at < missing.length; at = next++) {
        const source = missing[at]!;
        await prepare?.(source);
        await this.compileAsync(source);
        onProgress(++done, missing.length);
      }
    };
    await Promise.all(precompile.length > 0 ? precompile.map(take) : missing.map(() => take(undefined)));
  }

  /** The text of a call and what its program is found by; nothing is compiled. */
  sourced(call: KernelCall): SourcedCall {
    const key = this.keyOf(call);
    let source = this.sources.get(key);
    if (!source) {
      requireHalves(this.device, call);
      this.sources.set(key, (source = sourceOf(call)));
    }
    return { call, key, source };
  }

  /**
   * The program of a call, and its arrays and data bound for it.
   *
   * @throws ShapeError for a shared buffer
   */
  prepare({ call, key, source }: SourcedCall): { readonly program: Program; readonly binding: Binding } {
    let program = this.byKey.get(key);
    if (!program) this.byKey.set(key, (program = this.programOf(source)));
    const arrays = Object.values(call.arrays).filter((array) => array !== undefined);
    return { program, binding: this.bind(program, arrays, call.data && this.blocks.block(call.data)) };
  }

  /** The program of several calls in one dispatch, bound: see `joinedSource`. */
  prepareJoined(
    parts: readonly SourcedCall[],
    inputs: JoinedInputs,
  ): { readonly program: Program; readonly binding: Binding } {
    const key = parts.map((part, i) => `${part.key} @${inputs.places[i]!.join()}`).join(' | ');
    let program = this.byKey.get(key);
    if (!program) this.byKey.set(key, (program = this.programOf(joinedSource(parts, inputs))));
    return { program, binding: this.bind(program, inputs.arrays, this.blocks.block(inputs.data)) };
  }

  private keyOf({ kernel, wgsl, constants = {}, data, arrays }: KernelCall): string {
    let key = kernel;
    for (const file of wgsl) {
      let number = files.get(file);
      if (number === undefined) files.set(file, (number = files.size));
      key += ` ${number}`;
    }
    for (const name in constants) {
      const value = constants[name]!;
      key += typeof value === 'object' ? ` ${name}=f${value.f32}` : ` ${name}=${value}`;
    }
    for (const name in arrays) {
      const array = arrays[name];
      key += !array ? ` -${name}` : array.dtype === 'f16' ? ` ${name}:h` : ` ${name}`;
    }
    for (const name in data) key += typeof data[name] === 'object' ? ` ${name}:f` : ` ${name}:u`;
    return key;
  }

  private bind(program: Program, arrays: readonly GpuArray[], block?: UniformBlock): Binding {
    // Looked up for every dispatch: a number needs neither memory nor hashing of a text.
    let key = program.id + Math.imul(block?.id ?? 0, 0x85ebca6b);
    for (const { storage } of arrays) key = (Math.imul(key, 0x9e3779b1) + storage.id) | 0;
    let known = this.bindings.get(key);
    if (!known) this.bindings.set(key, (known = []));
    for (const binding of known) if (isFor(binding, program, arrays, block)) return binding;
    const binding = this.create(program, arrays, block);
    known.push(binding);
    return binding;
  }

  /** Drops the bind groups on these buffers, which are about to be destroyed. */
  forget(buffers: ReadonlySet<GPUBuffer>): void {
    for (const [key, known] of this.bindings) {
      const left = known.filter((binding) => !binding.buffers.some((buffer) => buffers.has(buffer)));
      if (left.length > 0) this.bindings.set(key, left);
      else this.bindings.delete(key);
    }
  }

  private create(
    program: Program,
    arrays: readonly GpuArray[],
    block: UniformBlock | undefined,
  ): KnownBinding {
    requireBindable(program, arrays);
    this.counters.bindGroupsCreated++;
    const entries = arrays.map(({ storage: { buffer, offsetBytes, sizeBytes } }, binding) => ({
      binding,
      resource: { buffer, offset: offsetBytes, size: sizeBytes },
    }));
    if (block) {
      const { buffer, offsetBytes, sizeBytes } = block;
      const resource = { buffer, offset: offsetBytes, size: sizeBytes };
      entries.push({ binding: arrays.length, resource });
    }
    return {
      group: this.device.createBindGroup({
        label: programLabel(program),
        layout: program.layout,
        entries,
      }),
      buffers: arrays.map(({ storage }) => storage.buffer),
      program,
      storages: arrays.map(({ storage }) => storage),
      block,
    };
  }

  private programOf(source: ProgramSource): Program {
    const known = this.compiled.get(source.wgsl);
    return known ? { ...known, kernel: source.kernel, detail: source.detail } : this.compile(source);
  }

  private compile(source: ProgramSource): Program {
    const { device } = this;
    device.pushErrorScope('validation');
    const { layout, descriptor } = describePipeline(device, source);
    const pipeline = device.createComputePipeline(descriptor);
    this.failures.expect(
      device.popErrorScope().then((error) => (error ? refused(source, error.message) : undefined)),
    );
    return this.add(source, pipeline, layout);
  }

  private async compileAsync(source: ProgramSource): Promise<void> {
    const { device } = this;
    device.pushErrorScope('validation');
    const { layout, descriptor } = describePipeline(device, source);
    // A lost device gives no answer, and reports itself.
    const scope = device.popErrorScope().catch(() => null);
    try {
      this.add(source, await device.createComputePipelineAsync(descriptor), layout);
    } catch (error) {
      // The scope has the reason, if it lies in the text.
      const reason = (await scope)?.message ?? (error instanceof Error ? error.message : String(error));
      throw refused(source, reason);
    }
  }

  private add(source: ProgramSource, pipeline: GPUComputePipeline, layout: GPUBindGroupLayout): Program {
    const { kernel, detail, wgsl, access, takesData } = source;
    this.counters.pipelinesCreated++;
    const id = this.counters.pipelinesCreated;
    const program = { kernel, detail, wgsl, access, takesData, id, pipeline, layout };
    this.compiled.set(wgsl, program);
    return program;
  }
}

/** Everything of a pipeline but the pipeline. */
export function describePipeline(
  device: GPUDevice,
  source: ProgramSource,
): { readonly layout: GPUBindGroupLayout; readonly descriptor: GPUComputePipelineDescriptor } {
  const label = programLabel(source);
  const module = device.createShaderModule({ label, code: source.wgsl });
  const layout = device.createBindGroupLayout({
    label,
    entries: bindingTypes(source).map((type, binding) => ({
      binding,
      visibility: 4, // GPUShaderStage.COMPUTE
      buffer: { type },
    })),
  });
  const descriptor = {
    label,
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module, entryPoint: 'main' },
  };
  return { layout, descriptor };
}

function refused({ kernel, detail }: ProgramSource, reason: string): KernelValidationError {
  return new KernelValidationError(kernel, `${detail}: ${reason}`);
}

function sourceOf({ kernel, variant, wgsl, constants = {}, data = {}, arrays }: KernelCall): ProgramSource {
  const members = Object.entries(data).map(([name, value]) => ({ name, isReal: typeof value === 'object' }));
  const given = Object.entries(arrays).map(([name, array]) => ({
    name,
    isPresent: array !== undefined,
    isHalf: array?.dtype === 'f16',
  }));
  const halves = given.filter(({ isHalf }) => isHalf).map(({ name }) => `${name}:f16`);
  const detail = [variant ?? '', ...Object.entries(constants).map(constantDetail), ...halves]
    .filter(Boolean)
    .join(' ');
  return {
    kernel,
    detail,
    ...generateWgsl({ wgsl, constants, data: members, arrays: given }),
    takesData: members.length > 0,
  };
}

function requireHalves({ features }: GPUDevice, { kernel, arrays }: KernelCall): void {
  if (features.has('shader-f16')) return;
  for (const name in arrays) {
    if (arrays[name]?.dtype !== 'f16') continue;
    throw new ShapeError(
      `${kernel}: ${name} is ${arrays[name]}, but this adapter has no f16 (the feature shader-f16); keep it in f32`,
    );
  }
}

function constantDetail([name, value]: [string, WgslConstants[string]]): string {
  if (typeof value === 'boolean') return value ? name : '';
  return `${name}=${typeof value === 'object' ? value.f32 : value}`;
}

function bindingTypes({ access, takesData }: ProgramSource): GPUBufferBindingType[] {
  const types: GPUBufferBindingType[] = access.map((kind) =>
    kind === 'read' ? 'read-only-storage' : 'storage',
  );
  return takesData ? [...types, 'uniform'] : types;
}

function isFor(
  { program, storages, block: known }: KnownBinding,
  wanted: Program,
  arrays: readonly GpuArray[],
  block: UniformBlock | undefined,
): boolean {
  if (program !== wanted || known !== block || storages.length !== arrays.length) return false;
  for (let i = 0; i < arrays.length; i++) if (arrays[i]!.storage !== storages[i]) return false;
  return true;
}

function requireBindable(program: Program, arrays: readonly GpuArray[]): void {
  const { kernel, detail, access } = program;
  // WebGPU allows a buffer in one dispatch either any number of times for reading, or in separate ranges for
  // writing; it would say so only when the whole batch is submitted.
  arrays.forEach(({ storage: a }, i) =>
    arrays.slice(0, i).forEach(({ storage: b }, j) => {
      if (a.buffer !== b.buffer || (access[i] === 'read' && access[j] === 'read')) return;
      const apart =
        a.offsetBytes + a.sizeBytes <= b.offsetBytes || b.offsetBytes + b.sizeBytes <= a.offsetBytes;
      if (apart && access[i] === access[j]) return;
      throw new ShapeError(
        `kernel ${kernel} (${detail}): bindings ${j} (${arrays[j]}) and ${i} (${arrays[i]}) share a buffer that is` +
          ' written; copy one of them',
      );
    }),
  );
}
