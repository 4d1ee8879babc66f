import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Runtime } from '../runtime/runtime.js';
import { digestOf } from '../tuning/digest.js';
import { requireFittingTable } from '../tuning/tunable.js';
import { tuningTableFromJson, tuningTableToJson } from '../tuning/tuning-json.js';
import { TuningTableError, adapterIdentity, type TuningTable } from '../tuning/tuning-table.js';
import { cacheDirectory } from './cache.js';
import { gpuBindingsVersion } from './open-runtime.js';

const FOLDER = 'tuning';

/** What compiles WGSL in Node, with its version: part of what a table of measurements holds for. */
export function nodeCompiler(): string {
  return `webgpu ${gpuBindingsVersion()}`;
}

/** Where this device's table of measured variants is kept: a file for each adapter in the user's cache folder. */
export function tuningFile({ adapter }: Pick<Runtime, 'adapter'>, directory = cacheDirectory()): string {
  return join(directory, FOLDER, `${digestOf(JSON.stringify(adapterIdentity(adapter)))}.json`);
}

/**
 * This device's table of measured variants; undefined where none was measured. To be put into `runtime.tuning`.
 *
 * @throws TuningTableError when there is a file that is damaged, outdated or another device's
 */
export function readTuningTable(runtime: Runtime, directory = cacheDirectory()): TuningTable | undefined {
  const path = tuningFile(runtime, directory);
  if (!existsSync(path)) return undefined;
  try {
    const table = tuningTableFromJson(parse(path));
    requireFittingTable(runtime, table, nodeCompiler());
    return table;
  } catch (error) {
    if (!(error instanceof TuningTableError)) throw error;
    throw new TuningTableError(`cannot use ${path}: ${error.message}. \`npx tubelet tune\` measures anew.`, {
      cause: error,
    });
  }
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? 'it is damaged: it is not JSON' : String(cause);
    throw new TuningTableError(reason, { cause });
  }
}

/**
 * Puts a table into the user's cache folder in one step, so that no reader ever sees half of it.
 *
 * @param details kept beside it for people to read, such as the times that were measured
 * @returns the path of the file
 */
export function writeTuningTable(
  runtime: Runtime,
  table: TuningTable,
  details: Readonly<Record<string, unknown>> = {},
  directory = cacheDirectory(),
): string {
  const path = tuningFile(runtime, directory);
  const partial = `${path}.${process.pid}.partial`;
  mkdirSync(join(directory, FOLDER), { recursive: true });
  try {
    writeFileSync(partial, `${JSON.stringify({ ...tuningTableToJson(table), ...details }, null, 1)}\n`);
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
  return path;
}
