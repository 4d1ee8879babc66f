import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { checkpointDirectory, setAsideLaterCheckpoints } from '../formats/checkpoint-folder.js';
import { UserError, errorMessage, systemErrorCode } from '../errors.js';
import { FileWriteError, freeBytes, nodeFileSystem, writeTextFile } from '../formats/file-write.js';
import { jsonProblem } from '../json-problem.js';
import type { RunLock } from './run-lock.js';
import { RunLog } from './run-log.js';
import { TensorBoardWriter } from '../formats/tensorboard.js';

/** What JSON can hold. */
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** Everything needed to repeat a run. */
export interface RunConfig {
  /** What was run, such as `pretrain`. */
  readonly program: string;
  /** The command line as it was given. */
  readonly commandLine: readonly string[];
  /** Every setting with the value that was used, defaults included. */
  readonly settings: Readonly<Record<string, JsonValue>>;
  /** Versions of the packages, of Node and of the GPU bindings. */
  readonly versions: Readonly<Record<string, string>>;
  /** What the GPU adapter says about itself. */
  readonly adapter: Readonly<Record<string, JsonValue>>;
  /** The measured choices of kernels that are used; null, or absent, where none are. */
  readonly tuning?: JsonValue;
  /** The variants of kernels that round to f16, each as `kernel variant`; none, or absent, in f32. */
  readonly f16Variants?: readonly string[];
  /** When the run began, ISO 8601. */
  readonly startedAt: string;
}

/** What its file must hold. */
const CONFIG = z.object({
  program: z.string(),
  commandLine: z.array(z.string()),
  settings: z.record(z.string(), z.unknown()),
  versions: z.record(z.string(), z.string()),
  adapter: z.record(z.string(), z.unknown()),
  startedAt: z.string(),
});

const CONFIG_FILE = 'config.json';
const LOG_FILE = 'log.jsonl';
const REPORT_FILE = 'report.html';

/** Whether a folder holds a run that has begun. */
export function isRun(directory: string): boolean {
  return [CONFIG_FILE, LOG_FILE].every((name) => existsSync(join(directory, name)));
}

/** Whether a run has begun in a folder, however short it was before it was killed. */
export function hasBegun(directory: string): boolean {
  return existsSync(join(directory, CONFIG_FILE));
}

/** An open run: its folder, its configuration, and the log and event files being written. */
export interface RunFolder {
  readonly directory: string;
  readonly config: RunConfig;
  /** False for a rank that leaves the files of the run to another. */
  readonly isWritten: boolean;
  /**
   * To be called before anything lasting is written here; records of the log are held back by themselves.
   *
   * @throws RunTakenError when the run has become another program's
   */
  readonly requireHeld: () => void;
  readonly log: Pick<RunLog, keyof RunLog>;
  readonly tensorBoard: Pick<TensorBoardWriter, keyof TensorBoardWriter>;
  close(): void;
}

/** The log of the run in a folder. */
export function logPath(directory: string): string {
  return join(directory, LOG_FILE);
}

export function reportPath(directory: string): string {
  return join(directory, REPORT_FILE);
}

type HeldLock = Pick<RunLock, 'requireHeld' | 'requireHeldLately'>;

function openRun(
  directory: string,
  config: RunConfig,
  completedSteps: number | undefined,
  lock: HeldLock | undefined,
): RunFolder {
  const log = new RunLog(logPath(directory), completedSteps ?? 0, () => lock?.requireHeldLately());
  const tensorBoard = new TensorBoardWriter(directory, completedSteps);
  return {
    directory,
    config,
    isWritten: true,
    requireHeld: () => lock?.requireHeld(),
    log,
    tensorBoard,
    close() {
      log.close();
      tensorBoard.close();
    },
  };
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    const free = await freeBytes(path, nodeFileSystem);
    throw new FileWriteError(path, systemErrorCode(error), 0, free, '', { cause: error });
  }
}

/**
 * Checks that a new run can be begun in a folder, which need not exist.
 *
 * @throws UserError when it already holds a run
 */
export function requireNoRun(directory: string): void {
  for (const name of [CONFIG_FILE, LOG_FILE]) {
    if (existsSync(join(directory, name))) {
      throw new UserError(
        `${directory} already holds a run (it has a ${name}). Resume that run, or choose another folder.`,
      );
    }
  }
}

/**
 * Makes the folder of a new run and writes its `config.json`.
 *
 * @param lock of the folder; without one nobody else may write there
 * @throws UserError when the folder already holds a run
 * @throws FileWriteError when it cannot be written
 */
export async function createRun(directory: string, config: RunConfig, lock?: HeldLock): Promise<RunFolder> {
  requireNoRun(directory);
  await makeFolder(checkpointDirectory(directory));
  await writeTextFile(join(directory, CONFIG_FILE), `${JSON.stringify(config, null, 2)}\n`);
  return openRun(directory, config, undefined, lock);
}

/**
 * The configuration of an existing run.
 *
 * @throws UserError when the folder holds no run, or its `config.json` is damaged
 */
export function readRunConfig(directory: string): RunConfig {
  const path = join(directory, CONFIG_FILE);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
    // What nests too deeply for this cannot be compared with other settings either.
    JSON.stringify(value);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') {
      throw new UserError(`${directory} holds no run: there is no ${path}`, { cause: error });
    }
    throw new UserError(`cannot read ${path}: ${errorMessage(error)}`, { cause: error });
  }
  const problem = jsonProblem(CONFIG, value);
  if (problem !== undefined) throw new UserError(`${path} is not the configuration of a run: ${problem}`);
  return value as RunConfig;
}

/**
 * Opens an existing run to go on from `completedSteps`; what its log holds of later steps is cut off, and
 * checkpoints of later steps, which were too damaged to be resumed from, are set aside under another name.
 *
 * @param lock of the folder; without one nobody else may write there
 * @throws UserError when the folder holds no run, or its files are damaged
 */
export async function resumeRun(
  directory: string,
  completedSteps: number,
  lock?: HeldLock,
): Promise<RunFolder> {
  const config = readRunConfig(directory);
  await makeFolder(checkpointDirectory(directory));
  await setAsideLaterCheckpoints(directory, completedSteps);
  return openRun(directory, config, completedSteps, lock);
}

type Settings = Readonly<Record<string, JsonValue>>;

function isObject(value: JsonValue): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What differs in one setting, with both values; of an object, in each of its own settings, as `object.setting`. */
function differencesOf(name: string, before: JsonValue, now: JsonValue): string[] {
  if (isObject(before) && isObject(now)) {
    return Object.keys({ ...before, ...now }).flatMap((key) =>
      differencesOf(`${name}.${key}`, before[key] ?? null, now[key] ?? null),
    );
  }
  const [was, is] = [JSON.stringify(before), JSON.stringify(now)];
  return was === is ? [] : [`${name} was ${was} and is now ${is}`];
}

/**
 * Checks that a run is resumed with the settings it was begun with, where a difference would change its
 * result.
 *
 * @throws UserError naming each setting that differs, with both values
 */
export function requireSameSettings(directory: string, saved: Settings, given: Settings): void {
  const differences = Object.entries(given).flatMap(([key, value]) =>
    differencesOf(key, saved[key] ?? null, value),
  );
  if (differences.length > 0) {
    throw new UserError(
      `the run in ${directory} was begun with other settings: ${differences.join('; ')}. ` +
        'Resume it with the options that it was begun with (commandLine in its config.json), or begin a new run in ' +
        'another folder.',
    );
  }
}
