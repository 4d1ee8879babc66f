import { relative } from 'node:path';
import { saveCheckpoint, type CheckpointContent } from '../formats/checkpoint.js';
import { checkpointPath, pruneCheckpoints, type Retention } from '../formats/checkpoint-folder.js';
import type { WriteFileSystem } from '../formats/file-write.js';
import type { RunFolder } from './run-folder.js';

/** What a checkpoint took, in milliseconds. */
export interface CheckpointTimes {
  /** While it was copied off the GPU no step could begin. */
  readonly copyMs: number;
  /** Meanwhile steps went on. */
  readonly writeMs: number;
}

export interface CheckpointWriterOptions {
  readonly run: RunFolder;
  readonly retention: Retention;
  readonly nowMs: () => number;
  /** Default: Node's. */
  readonly fileSystem?: WriteFileSystem | undefined;
  /** Is told when a checkpoint was being written. */
  readonly onWritten?: (beganMs: number, endedMs: number) => void;
}

/**
 * Writes the checkpoints of a run beside its steps, one at a time, and removes those that are not kept once a new one
 * is safely on the disk.
 */
export class CheckpointWriter {
  private writing: Promise<void> = Promise.resolve();
  private failure: { readonly error: unknown } | undefined;

  constructor(private readonly options: CheckpointWriterOptions) {}

  /**
   * Begins to write a state, once the one before it is written. Nothing may change the content any more.
   *
   * @param copyMs what it took to get the content
   * @throws what writing the one before threw
   */
  async begin(step: number, content: CheckpointContent, copyMs: number): Promise<void> {
    await this.finish();
    // The log of the steps that a checkpoint covers must be on the disk before the checkpoint is.
    this.options.run.log.flush();
    this.writing = this.write(step, content, copyMs).catch((error: unknown) => {
      this.failure = { error };
    });
  }

  /** @throws the error of a checkpoint that could not be written, as soon as it is known */
  throwIfFailed(): void {
    if (this.failure) throw this.failure.error;
  }

  /**
   * Waits until what was begun is on the disk.
   *
   * @throws what writing threw
   */
  async finish(): Promise<void> {
    await this.writing;
    this.throwIfFailed();
  }

  private async write(step: number, content: CheckpointContent, copyMs: number): Promise<void> {
    const { run, retention, nowMs, onWritten, fileSystem } = this.options;
    const beganMs = nowMs();
    const path = checkpointPath(run.directory, step);
    const { lengthBytes } = await saveCheckpoint(path, content, fileSystem);
    const endedMs = nowMs();
    onWritten?.(beganMs, endedMs);
    const times: CheckpointTimes = { copyMs: Math.round(copyMs), writeMs: Math.round(endedMs - beganMs) };
    const file = relative(run.directory, path);
    run.log.append({
      type: 'checkpoint',
      step,
      time: new Date(endedMs).toISOString(),
      file,
      lengthBytes,
      ...times,
    });
    await pruneCheckpoints(run.directory, retention);
  }
}
