import { existsSync, readdirSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { listCheckpoints } from '../formats/checkpoint-folder.js';
import { UserError, errorMessage, systemErrorCode } from '../errors.js';
import { readReportData, type ReportData } from '../report/report-data.js';
import { isRun, logPath, readRunConfig, type RunConfig } from '../run/run-folder.js';
import { isInUse } from '../run/run-lock.js';

/** A run with what its log says. */
export interface RunRecord {
  readonly directory: string;
  readonly config: RunConfig;
  readonly data: ReportData;
  /** Of its checkpoints, newest first, the steps. */
  readonly checkpoints: readonly number[];
  /** Whether a program writes to it; undefined where that cannot be said from here. */
  readonly isInUse: boolean | undefined;
}

/** How a run ended, or that it goes on, as far as that can be said from here. */
export function stateOf({ data, isInUse }: RunRecord): string {
  if (isInUse) return 'running';
  const last = data.events.findLast(({ type }) => ['start', 'resume', 'end', 'stop', 'error'].includes(type));
  switch (last?.type) {
    case 'end':
      return 'finished';
    case 'stop':
      return 'stopped';
    case 'error':
      return 'failed';
    default:
      return isInUse === false ? 'interrupted' : 'not ended';
  }
}

/**
 * Reads one run.
 *
 * @throws UserError when the folder holds none, or its files are damaged
 */
export async function readRun(directory: string): Promise<RunRecord> {
  return {
    directory,
    config: readRunConfig(directory),
    data: await readReportData(logPath(directory)),
    checkpoints: (await listCheckpoints(directory)).map(({ step }) => step),
    isInUse: isInUse(directory),
  };
}

// Runs lie in folders of runs, and folds in the folder of their cross-validation.
const DEPTH = 3;

/**
 * The runs in a folder and in the folders in it, by their paths. Folders in it that cannot be read are passed over.
 *
 * @throws UserError when there is no such folder, it cannot be read, or there is no run in it
 */
export function findRuns(folder: string): string[] {
  if (!existsSync(folder))
    throw new UserError(`${folder}: there is no such folder. Name one that holds runs.`);
  const found: string[] = [];
  const visit = (path: string, depth: number): void => {
    if (isRun(path)) found.push(path);
    else if (depth < DEPTH) {
      const folders = entriesOf(path, depth > 0).filter((entry) => entry.isDirectory());
      for (const { name } of folders) visit(join(path, name), depth + 1);
    }
  };
  visit(folder, 0);
  if (found.length === 0) {
    throw new UserError(
      `${folder} holds no runs (folders with config.json and log.jsonl). Name another folder.`,
    );
  }
  return found.sort();
}

function entriesOf(folder: string, mayBeOutOfReach: boolean): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (systemErrorCode(error) === null) throw error;
    if (mayBeOutOfReach) return [];
    const message = `cannot read the folder ${folder}: ${errorMessage(error)}. Name one that holds runs.`;
    throw new UserError(message, { cause: error });
  }
}
