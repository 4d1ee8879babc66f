import { KernelValidationError, ShapeError } from './errors.js';
import type { FailureLog } from './failure-log.js';
import type { GpuArray } from './gpu-array.js';
import { programLabel, type Program, type ProgramSource } from './program.js';

/** The arrays of one dispatch, bound, and the buffers that they lie in. */
export interface Binding {
  readonly group: GPUBindGroup;
  readonly buffers: readonly GPUBuffer[];
}

/** Compiled programs by key, and bind groups by program and storages. Both are made once and found again. */
export class ProgramCache {
  private readonly byKey = new Map<string, Program>();
  private readonly bindings = new Map<string, Binding>();

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
    let key = String(program.id);
    for (const array of arrays) key += `,${array.storage.id}`;
    let binding = this.bindings.get(key);
    if (!binding) {
      requireBindable(program, arrays);
      binding = {
        group: this.device.createBindGroup({
          label: programLabel(program),
          layout: program.layout,
          entries: arrays.map(({ storage }, index) => ({
            binding: index,
            resource: { buffer: storage.buffer, offset: storage.offsetBytes, size: storage.sizeBytes },
          })),
        }),
        buffers: arrays.map(({ storage }) => storage.buffer),
      };
      this.bindings.set(key, binding);
      this.counters.bindGroupsCreated++;
    }
    return binding;
  }

  /** Drops the bind groups on these buffers, which are about to be destroyed. */
  forget(buffers: ReadonlySet<GPUBuffer>): void {
    for (const [key, binding] of this.bindings) {
      if (binding.buffers.some((buffer) => buffers.has(buffer))) this.bindings.delete(key);
    }
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
