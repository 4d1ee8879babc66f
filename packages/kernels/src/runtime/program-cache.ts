import { KernelValidationError, ShapeError } from './errors.js';
import type { FailureLog } from './failure-log.js';
import type { GpuArray, Storage } from './gpu-array.js';
import { programLabel, type Program, type ProgramSource } from './program.js';

/** The arrays of one dispatch, bound, and the buffers that they lie in. */
export interface Binding {
  readonly group: GPUBindGroup;
  readonly buffers: readonly GPUBuffer[];
}

/** A binding with what it is found by. */
interface KnownBinding extends Binding {
  readonly program: Program;
  readonly storages: readonly Storage[];
}

/** Compiled programs by key, and bind groups by program and storages. Both are made once and found again. */
export class ProgramCache {
  private readonly byKey = new Map<string, Program>();
  /** By a number made of the program's and the storages' ids, which several may share. */
  private readonly bindings = new Map<number, KnownBinding[]>();

  constructor(
    private readonly device: GPUDevice,
    private readonly failures: FailureLog,
    private readonly counters: { pipelinesCreated: number; bindGroupsCreated: number },
  ) {}

  /** All programs compiled so far. */
  programs(): Iterable<Program> {
    return this.byKey.values();
  }

  program(key: string, build: () => ProgramSource): Program {
    let program = this.byKey.get(key);
    if (!program) {
      program = this.compile(build());
      this.byKey.set(key, program);
    }
    return program;
  }

  /** Throws `ShapeError` when the arrays do not fit the program's bindings. */
  bind(program: Program, arrays: readonly GpuArray[]): Binding {
    // Looked up for every dispatch: a number needs neither memory nor hashing of a text.
    let key = program.id;
    for (const { storage } of arrays) key = (Math.imul(key, 0x9e3779b1) + storage.id) | 0;
    let known = this.bindings.get(key);
    if (!known) this.bindings.set(key, (known = []));
    for (const binding of known) if (isFor(binding, program, arrays)) return binding;
    const binding = this.create(program, arrays);
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

  private create(program: Program, arrays: readonly GpuArray[]): KnownBinding {
    requireBindable(program, arrays);
    this.counters.bindGroupsCreated++;
    return {
      group: this.device.createBindGroup({
        label: programLabel(program),
        layout: program.layout,
        entries: arrays.map(({ storage }, index) => ({
          binding: index,
          resource: { buffer: storage.buffer, offset: storage.offsetBytes, size: storage.sizeBytes },
        })),
      }),
      buffers: arrays.map(({ storage }) => storage.buffer),
      program,
      storages: arrays.map(({ storage }) => storage),
    };
  }

  private compile(source: ProgramSource): Program {
    const label = programLabel(source);
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
    this.failures.expect(
      device
        .popErrorScope()
        .then((error) =>
          error ? new KernelValidationError(source.kernel, `${source.detail}: ${error.message}`) : undefined,
        ),
    );
    this.counters.pipelinesCreated++;
    return { ...source, id: this.byKey.size + 1, pipeline, layout };
  }
}

function isFor({ program, storages }: KnownBinding, wanted: Program, arrays: readonly GpuArray[]): boolean {
  if (program !== wanted || storages.length !== arrays.length) return false;
  for (let i = 0; i < arrays.length; i++) if (arrays[i]!.storage !== storages[i]) return false;
  return true;
}

function requireBindable(program: Program, arrays: readonly GpuArray[]): void {
  const { kernel, detail, access } = program;
  if (arrays.length !== access.length) {
    throw new ShapeError(
      `kernel ${kernel} (${detail}) has ${access.length} bindings, but ${arrays.length} arrays were given`,
    );
  }
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
