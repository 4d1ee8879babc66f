import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.js';
import { readReportData, type ReportData } from '../report-data.js';
import { isRun, logPath, readRunConfig, type RunConfig } from '../run-folder.js';

/** A run with what its log says. */
export interface RunRecord {
  readonly directory: string;
  readonly config: RunConfig;
  readonly data: ReportData;
}

/** How a run ended, or that it has not. */
export function stateOf({ data }: RunRecord): string {
  const last = data.events.findLast(({ type }) => ['start', 'resume', 'end', 'stop', 'error'].includes(type));
  switch (last?.type) {
    case 'end':
      return 'finished';
    case 'stop':
      return 'stopped';
    case 'error':
      return 'failed';
    default:
      // A log does not tell a run that goes on from one that was killed.
      return 'not ended';
  }
}

/** Reads one run. Throws `UserError` when the folder holds none, or its files are damaged. */
export async function readRun(directory: string): Promise<RunRecord> {
  return { directory, config: readRunConfig(directory), data: await readReportData(logPath(directory)) };
}

// Runs lie in folders of runs, and folds in the folder of their cross-validation.
const DEPTH = 3;

/**
 * The runs in a folder and in the folders in it, by their paths.
 *
 * @throws {UserError} when there is no such folder, or no run in it
 */
export function findRuns(folder: string): string[] {
  if (!existsSync(folder))
    throw new UserError(`${folder}: there is no such folder. Name one that holds runs.`);
  const found: string[] = [];
  const visit = (path: string, depth: number): void => {
    if (isRun(path)) found.push(path);
    else if (depth < DEPTH) {
      const folders = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
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
