import { KernelValidationError } from './errors.js';
import { UNATTRIBUTED, type FailureLog } from './failure-log.js';
import { sumOfCosts, type KernelCost } from './ledger.js';
import type { Profiler } from './profiler.js';
import type { Binding } from './program-cache.js';
import { programLabel, type Program } from './program.js';
import type { RecordedClear, RecordedCopy, Recording } from './recording.js';

// The GPU may be idle when work begins: it gets the first few commands soon, and then enough at a time to be busy while
// the next are recorded.
const FIRST_COMMANDS = 16;
const COMMANDS_PER_SUBMIT = 256;

/** Work recorded and not yet handed to the GPU: one command encoder, one open pass, and what they touch. */
export class CommandRecorder {
  /** Gets a pass of its own for every dispatch while it is set. */
  profiler: Profiler | undefined;
  /** Takes down every command while it is set. */
  recording: Recording | undefined;
  private encoder: GPUCommandEncoder | undefined;
  private pass: GPUComputePassEncoder | undefined;
  /** What the open pass has set. */
  private pipeline: GPUComputePipeline | undefined;
  private programs = new Set<Program>();
  private buffers: (readonly GPUBuffer[])[] = [];
  private replayed = 0;
  /** Whether the last commands were handed over because there were many: the GPU is at work. */
  private isUnderWay = false;

  constructor(
    private readonly device: GPUDevice,
    private readonly failures: FailureLog,
    private readonly counters: { submits: number; dispatches: number },
  ) {}

  /** Records one dispatch, of one kernel or several. */
  dispatch(
    program: Program,
    binding: Binding,
    [x, y, z]: readonly [number, number, number],
    kernels: readonly KernelCost[],
  ): void {
    this.encode(program, binding, x, y, z, kernels);
    this.programs.add(program);
    this.buffers.push(binding.buffers);
    this.recording?.add({ kind: 'dispatch', program, binding, x, y, z, kernels });
    this.submitIfFull();
  }

  clear(buffer: GPUBuffer, startBytes: number, sizeBytes: number): void {
    const command: RecordedClear = { kind: 'clear', buffer, startBytes, sizeBytes };
    this.transfer(command);
    this.buffers.push([buffer]);
    this.recording?.add(command);
  }

  copy(
    source: GPUBuffer,
    sourceBytes: number,
    target: GPUBuffer,
    targetBytes: number,
    sizeBytes: number,
  ): void {
    const command: RecordedCopy = { kind: 'copy', source, sourceBytes, target, targetBytes, sizeBytes };
    this.transfer(command);
    this.buffers.push([source, target]);
    this.recording?.add(command);
  }

  /** Calls `action` when all commands so far are the GPU's; what it records itself is not taken down. */
  act(action: () => void): void {
    const { recording } = this;
    recording?.add({ kind: 'action', action });
    this.submit();
    this.recording = undefined;
    try {
      action();
    } finally {
      this.recording = recording;
    }
  }

  /** Records all commands of `recording` again. */
  replay({ commands }: Recording): void {
    for (const command of commands) {
      if (command.kind === 'dispatch') {
        const { program, binding, x, y, z, kernels } = command;
        this.encode(program, binding, x, y, z, kernels);
        this.programs.add(program);
      } else if (command.kind === 'action') {
        this.act(command.action);
        continue;
      } else {
        this.transfer(command);
      }
      this.replayed++;
      this.submitIfFull();
    }
  }

  /** Whether recorded work may read or write the buffer: then the queue must not write to it first. */
  uses(buffer: GPUBuffer): boolean {
    return this.replayed > 0 || this.buffers.some((buffers) => buffers.includes(buffer));
  }

  /** Hands everything to the GPU, without waiting. What the GPU says against it becomes a failure with a name. */
  submit(): void {
    this.isUnderWay = false;
    this.endPass();
    const { encoder, programs } = this;
    if (!encoder) return;
    const afterSubmit = this.profiler?.resolve(encoder);
    this.encoder = undefined;
    this.programs = new Set();
    this.buffers = [];
    this.replayed = 0;
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

  private encode(
    program: Program,
    { group }: Binding,
    x: number,
    y: number,
    z: number,
    kernels: readonly KernelCost[],
  ): void {
    const timestampWrites = this.profiler?.next(program.kernel, sumOfCosts(kernels));
    if (timestampWrites) this.endPass();
    const pass = (this.pass ??= this.currentEncoder().beginComputePass({
      label: 'tubelet',
      timestampWrites,
    }));
    const { pipeline } = program;
    if (pipeline !== this.pipeline) {
      this.pipeline = pipeline;
      pass.setPipeline(pipeline);
    }
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(x, y, z);
    this.counters.dispatches++;
    if (timestampWrites) this.endPass();
  }

  private transfer(command: RecordedClear | RecordedCopy): void {
    this.endPass();
    const encoder = this.currentEncoder();
    if (command.kind === 'clear') {
      encoder.clearBuffer(command.buffer, command.startBytes, command.sizeBytes);
    } else {
      const { source, sourceBytes, target, targetBytes, sizeBytes } = command;
      encoder.copyBufferToBuffer(source, sourceBytes, target, targetBytes, sizeBytes);
    }
  }

  private submitIfFull(): void {
    const limit = this.isUnderWay ? COMMANDS_PER_SUBMIT : FIRST_COMMANDS;
    if (this.buffers.length + this.replayed < limit) return;
    this.submit();
    this.isUnderWay = true;
  }

  private endPass(): void {
    this.pass?.end();
    this.pass = undefined;
    this.pipeline = undefined;
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
