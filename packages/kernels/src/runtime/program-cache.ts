import { KernelValidationError, ShapeError } from './errors.js';
import type { FailureLog } from './failure-log.js';
import type { GpuArray } from './gpu-array.js';
import { programLabel, type Program, type ProgramSource } from './program.js';

/** The arrays of one dispatch, bound, and the buffers that they lie in. */
export interface Binding {
  readonly group: GPUBindGroup;
  readonly buffers: readonly GPUBuffer[];
}

/** Bindings of a program by the storages of its arrays, one level for each. */
interface BindingNode {
  binding: Binding | undefined;
  readonly next: Map<number, BindingNode>;
}

/** Compiled programs by key, and bind groups by program and storages. Both are made once and found again. */
export class ProgramCache {
  private readonly byKey = new Map<string, Program>();
  private readonly bindings = new Map<Program, BindingNode>();

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
    // Looked up for every dispatch: a path of numbers makes no string that must be hashed and thrown away.
    let node = this.bindings.get(program) ?? newBranch(this.bindings, program);
    for (const { storage } of arrays) node = node.next.get(storage.id) ?? newBranch(node.next, storage.id);
    return (node.binding ??= this.create(program, arrays));
  }

  /** Drops the bind groups on these buffers, which are about to be destroyed. */
  forget(buffers: ReadonlySet<GPUBuffer>): void {
    for (const node of this.bindings.values()) prune(node, buffers);
  }

  private create(program: Program, arrays: readonly GpuArray[]): Binding {
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

function newBranch<Key>(branches: Map<Key, BindingNode>, key: Key): BindingNode {
  const node: BindingNode = { binding: undefined, next: new Map() };
  branches.set(key, node);
  return node;
}

/** Drops bindings on these buffers, and branches that lead to none; whether anything is left. */
function prune(node: BindingNode, buffers: ReadonlySet<GPUBuffer>): boolean {
  if (node.binding?.buffers.some((buffer) => buffers.has(buffer))) node.binding = undefined;
  for (const [id, next] of node.next) if (!prune(next, buffers)) node.next.delete(id);
  return node.binding !== undefined || node.next.size > 0;
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
