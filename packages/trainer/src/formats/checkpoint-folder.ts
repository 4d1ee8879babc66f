import { readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointCorruptError } from './checkpoint-errors.js';
import { loadCheckpoint, type CheckpointContent } from './checkpoint.js';
import { UserError, errorMessage, systemErrorCode } from '../errors.js';
import { PARTIAL_SUFFIX } from './file-write.js';

const CHECKPOINT_NAME = /^step-(\d+)\.safetensors$/;

/** Which checkpoints stay when a new one has been written. */
export interface Retention {
  /** The newest so many stay; 1 or more. */
  readonly keepLast: number;
  /** Those whose step is a multiple of this stay too; 0 keeps none of them. */
  readonly keepEverySteps?: number;
}

export interface CheckpointFile {
  readonly path: string;
  /** Steps completed when it was written. */
  readonly step: number;
}

/** The folder of a run's checkpoints. */
export function checkpointDirectory(runDirectory: string): string {
  return join(runDirectory, 'checkpoints');
}

/** The path of the checkpoint written after `step` completed steps. */
export function checkpointPath(runDirectory: string, step: number): string {
  return join(checkpointDirectory(runDirectory), `step-${String(step).padStart(8, '0')}.safetensors`);
}

async function fileNames(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw new UserError(`cannot list ${directory}: ${errorMessage(error)}`, { cause: error });
  }
}

/** The finished checkpoints of a run, newest first. */
export async function listCheckpoints(runDirectory: string): Promise<CheckpointFile[]> {
  const directory = checkpointDirectory(runDirectory);
  const files: CheckpointFile[] = [];
  for (const name of await fileNames(directory)) {
    const match = CHECKPOINT_NAME.exec(name);
    if (match) files.push({ path: join(directory, name), step: Number(match[1]) });
  }
  return files.sort((a, b) => b.step - a.step);
}

/**
 * The newest sound checkpoint of a run, read and verified; null when the run has none yet. A damaged one
 * is passed over for the one before it, and `warn` is told.
 *
 * @throws CheckpointCorruptError when there are checkpoints and none of them is sound
 */
export async function latestCheckpoint(
  runDirectory: string,
  warn: (message: string) => void,
): Promise<(CheckpointFile & { readonly content: CheckpointContent }) | null> {
  let newestFailure: CheckpointCorruptError | null = null;
  for (const file of await listCheckpoints(runDirectory)) {
    try {
      return { ...file, content: await loadCheckpoint(file.path) };
    } catch (error) {
      if (!(error instanceof CheckpointCorruptError)) throw error;
      newestFailure ??= error;
      warn(`${error.path} is damaged (${error.problem}); trying the checkpoint before it`);
    }
  }
  if (newestFailure) throw newestFailure;
  return null;
}

/** What the names of damaged checkpoints end in once a run went on from before them. */
const DAMAGED_SUFFIX = '.damaged';

/**
 * Renames the checkpoints of steps after `step`. Pruning goes by the step: one that is damaged would otherwise
 * count as the newest and crowd out the sound ones that the resumed run writes.
 */
export async function setAsideLaterCheckpoints(runDirectory: string, step: number): Promise<void> {
  for (const file of await listCheckpoints(runDirectory)) {
    if (file.step > step) await rename(file.path, file.path + DAMAGED_SUFFIX);
  }
}

/**
 * Removes the checkpoints that `retention` does not keep, and what interrupted writes of others left behind. Call it
 * when a new checkpoint is safely on the disk, never before.
 *
 * @returns the paths removed
 */
export async function pruneCheckpoints(runDirectory: string, retention: Retention): Promise<string[]> {
  const { keepLast, keepEverySteps = 0 } = retention;
  if (!Number.isSafeInteger(keepLast) || keepLast < 1) {
    throw new RangeError(`keepLast is ${keepLast}; it must be a whole number of 1 or more`);
  }
  const directory = checkpointDirectory(runDirectory);
  const old = (await listCheckpoints(runDirectory))
    .slice(keepLast)
    .filter(({ step }) => keepEverySteps === 0 || step % keepEverySteps !== 0)
    .map(({ path }) => path);
  // Other files that are not whole may be under way.
  const leftOver = (await fileNames(directory))
    .filter(
      (name) => name.endsWith(PARTIAL_SUFFIX) && CHECKPOINT_NAME.test(name.slice(0, -PARTIAL_SUFFIX.length)),
    )
    .map((name) => join(directory, name));
  const removed = [...old, ...leftOver];
  for (const path of removed) await unlink(path);
  return removed;
}
