import { FileWriteError } from './file-write.js';
import { UserError } from '../errors.js';

/** A checkpoint file that is missing or cannot be opened. */
export class CheckpointReadError extends UserError {
  override readonly name = 'CheckpointReadError';

  constructor(
    readonly path: string,
    readonly problem: string,
    options?: ErrorOptions,
  ) {
    super(`cannot read checkpoint ${path}: ${problem}`, options);
  }
}

/** A file that was cut short or changed after it was written, or that never was a checkpoint. */
export class CheckpointCorruptError extends UserError {
  override readonly name = 'CheckpointCorruptError';

  constructor(
    readonly path: string,
    readonly problem: string,
    options?: ErrorOptions,
  ) {
    super(`${path} is not a usable checkpoint: ${problem}. Use another checkpoint of the run.`, options);
  }
}

/** A sound safetensors file of another program. */
export class ForeignFileError extends CheckpointCorruptError {
  constructor(path: string) {
    super(path, 'it is a safetensors file, but not a checkpoint of a run');
  }
}

/** A checkpoint could not be written. The checkpoints written before it are untouched. */
export class CheckpointWriteError extends FileWriteError {
  override readonly name = 'CheckpointWriteError';

  constructor(
    path: string,
    code: string | null,
    neededBytes: number,
    freeBytes: number | null,
    options: ErrorOptions,
  ) {
    super(path, code, neededBytes, freeBytes, 'Earlier checkpoints are untouched.', options);
  }
}

export interface ShapeDifference {
  readonly key: string;
  /** dtype and shape, such as `F32 [256, 1536]`. */
  readonly expected: string;
  readonly found: string;
}

const LISTED = 5;

function list(title: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const more = items.length > LISTED ? ` and ${items.length - LISTED} more` : '';
  return [`${items.length} ${title}: ${items.slice(0, LISTED).join(', ')}${more}`];
}

/** A sound checkpoint of another model, or of the same model with other sizes. */
export class CheckpointMismatchError extends UserError {
  override readonly name = 'CheckpointMismatchError';

  constructor(
    readonly path: string,
    readonly missing: readonly string[],
    readonly unexpected: readonly string[],
    readonly different: readonly ShapeDifference[],
  ) {
    const differences = different.map(
      ({ key, expected, found }) => `${key} (expected ${expected}, found ${found})`,
    );
    const findings = [
      ...list('missing', missing),
      ...list('unexpected', unexpected),
      ...list('of another shape or type', differences),
    ];
    super(
      `checkpoint ${path} belongs to another model: ${findings.join('; ')}. ` +
        'Use the model settings that the checkpoint was trained with, or another checkpoint.',
    );
  }
}
