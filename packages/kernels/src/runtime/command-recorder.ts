import { KernelValidationError } from './errors.js';
import { UNATTRIBUTED, type FailureLog } from './failure-log.js';
import type { Profiler } from './profiler.js';
import { programLabel, type Program } from './program.js';

/** Work recorded and not yet handed to the GPU: one command encoder, one open pass, and what they touch. */
export class CommandRecorder {
  /** Gets a pass of its own for every dispatch while it is set. */
  profiler: Profiler | undefined;
  private encoder: GPUCommandEncoder | undefined;
  private pass: GPUComputePassEncoder | undefined;
  private programs = new Set<Program>();
  private buffers: (readonly GPUBuffer[])[] = [];

  constructor(
    private readonly device: GPUDevice,
    private readonly failures: FailureLog,
    private readonly counters: { submits: number },
  ) {}

  /** Dispatches and copies recorded since the last submit. */
  get recorded(): number {
    return this.buffers.length;
  }

  /** The open compute pass, or one with its own timestamps. */
  computePass(timestampWrites?: GPUComputePassTimestampWrites): GPUComputePassEncoder {
    if (timestampWrites) this.endPass();
    this.pass ??= this.currentEncoder().beginComputePass({ label: 'tubelet', timestampWrites });
    return this.pass;
  }

  endPass(): void {
    this.pass?.end();
    this.pass = undefined;
  }

  /** The encoder outside any pass, for a copy that touches `buffers`. */
  copies(...buffers: GPUBuffer[]): GPUCommandEncoder {
    this.endPass();
    this.buffers.push(buffers);
    return this.currentEncoder();
  }

  /** Notes that the open pass runs `program` on `buffers`. */
  note(program: Program, buffers: readonly GPUBuffer[]): void {
    this.programs.add(program);
    this.buffers.push(buffers);
  }

  /** Whether recorded work reads or writes the buffer: then the queue must not write to it first. */
  uses(buffer: GPUBuffer): boolean {
    return this.buffers.some((buffers) => buffers.includes(buffer));
  }

  /** Hands everything to the GPU, without waiting. What the GPU says against it becomes a failure with a name. */
  submit(): void {
    this.endPass();
    const { encoder, programs } = this;
    if (!encoder) return;
    const afterSubmit = this.profiler?.resolve(encoder);
    this.encoder = undefined;
    this.programs = new Set();
    this.buffers = [];
    this.device.pushErrorScope('validation');
    this.device.queue.submit([encoder.finish()]);
    this.failures.expect(
      this.device
        .popErrorScope()
        .then((error) => (error ? attributed(error.message, programs.values()) : undefined)),
    );
    this.counters.submits++;
    afterSubmit?.();
  }

  private currentEncoder(): GPUCommandEncoder {
    this.encoder ??= this.device.createCommandEncoder({ label: 'tubelet' });
    return this.encoder;
  }
}

/** The error of a WebGPU message: of the program whose label it quotes, else of all that it may be about. */
export function attributed(message: string, programs: Iterable<Program>): KernelValidationError {
  let found: Program | undefined;
  const kernels = new Set<string>();
  for (const program of programs) {
    kernels.add(program.kernel);
    const quoted = message.includes(`"${programLabel(program)}"`);
    // A program that failed to compile is only called invalid: its own message, which says why, comes separately.
    if (quoted && !found) found = program;
  }
  if (found && !/\[Invalid \w+/.test(message)) {
    return new KernelValidationError(found.kernel, `${found.detail}: ${message}`);
  }
  return new KernelValidationError(UNATTRIBUTED, `${message}\nRecorded kernels: ${[...kernels].join(', ')}`);
}
