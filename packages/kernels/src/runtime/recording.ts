import type { Binding } from './program-cache.js';
import type { Program } from './program.js';
import { Ledger, type KernelCost } from './ledger.js';

/** One dispatch on its arrays, as it was recorded. */
export interface RecordedDispatch {
  readonly kind: 'dispatch';
  readonly program: Program;
  readonly binding: Binding;
  readonly x: number;
  readonly y: number;
  readonly z: number;
  /** More than one where several share the dispatch. */
  readonly kernels: readonly KernelCost[];
}

/** Bytes set to zero. */
export interface RecordedClear {
  readonly kind: 'clear';
  readonly buffer: GPUBuffer;
  readonly startBytes: number;
  readonly sizeBytes: number;
}

/** Bytes copied between two buffers. */
export interface RecordedCopy {
  readonly kind: 'copy';
  readonly source: GPUBuffer;
  readonly sourceBytes: number;
  readonly target: GPUBuffer;
  readonly targetBytes: number;
  readonly sizeBytes: number;
}

/** Something that the host does at this place, every time. */
export interface RecordedAction {
  readonly kind: 'action';
  readonly action: () => void;
}

export type RecordedCommand = RecordedDispatch | RecordedClear | RecordedCopy | RecordedAction;

/**
 * A sequence of commands on fixed memory, to be handed to the GPU any number of times without deciding anything
 * again: pipelines, bind groups and sizes are looked up once, when it is recorded.
 */
export class Recording {
  readonly commands: RecordedCommand[] = [];
  /** Costs of one replay. */
  readonly ledger = new Ledger();
  /** Number of dispatches in it. */
  dispatches = 0;

  add(command: RecordedCommand): void {
    this.commands.push(command);
    if (command.kind !== 'dispatch') return;
    this.dispatches++;
    for (const { kernel, cost } of command.kernels) this.ledger.add(kernel, cost);
  }
}
