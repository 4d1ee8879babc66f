import type { Runtime } from '@tubelet/kernels';
import { nodeCompiler, readTuningTable, tuningFile } from '@tubelet/kernels/node';
import {
  requireFittingTable,
  TuningTable,
  TuningTableError,
  tuningTableFromJson,
  tuningTableToJson,
} from '@tubelet/kernels/tuning';
import type { JsonValue, RunConfig } from '../run/run-folder.js';

/** What decides about the tuning table of a run. */
export interface TuningRequest {
  /** False with `--no-autotune`. */
  readonly autotune: boolean;
  /** The configuration of the run to go on with; undefined for a new one. */
  readonly saved?: Pick<RunConfig, 'tuning'> | undefined;
  /** Told of everything that the user may not expect. */
  readonly note: (message: string) => void;
  /** The cache folder; default: the user's. */
  readonly directory?: string;
}

/**
 * Sets which variants of kernels a run uses, before its first kernel: a new one, those that were measured on this
 * device where there is a table of them; a resumed one, those that it was begun with, whatever was measured since, so
 * that it ends with the same bytes. Where that cannot be, the user is told that numbers may differ. A table that
 * cannot be used is named and left alone.
 */
export function useTuning(runtime: Runtime, request: TuningRequest): void {
  if (request.saved) {
    runtime.tuning = tableOfRun(runtime, request.saved, request);
    return;
  }
  const table = tableOfDevice(runtime, request);
  if (table) request.note(`variants of kernels by the tuning table ${table.digest} of this device`);
  runtime.tuning = table;
}

/** What a run's configuration says of its tuning table: all of it, since the user's cache may lose it; or null. */
export function describeTuning({ tuning }: Runtime): JsonValue {
  return tuning instanceof TuningTable ? (tuningTableToJson(tuning) as unknown as JsonValue) : null;
}

function tableOfDevice(
  runtime: Runtime,
  { autotune, note, directory }: TuningRequest,
): TuningTable | undefined {
  if (!autotune) return undefined;
  try {
    return readTuningTable(runtime, directory);
  } catch (error) {
    if (!(error instanceof TuningTableError)) throw error;
    note(`${error.message} Until then, the shipped variants of kernels are used.`);
    return undefined;
  }
}

function tableOfRun(
  runtime: Runtime,
  { tuning: saved }: Pick<RunConfig, 'tuning'>,
  request: TuningRequest,
): TuningTable | undefined {
  const { autotune, note, directory } = request;
  if (saved === undefined || saved === null) {
    const path = tuningFile(runtime, directory);
    if (tableOfDevice(runtime, request)) {
      note(
        `this run was begun without a tuning table: ${path} is not used, so that its numbers stay the same`,
      );
    }
    return undefined;
  }
  const change = 'its numbers may differ in the last digits';
  let begun: TuningTable | undefined;
  try {
    begun = tuningTableFromJson(saved);
    if (!autotune) {
      note(`this run was begun with the tuning table ${begun.digest}; with --no-autotune ${change}`);
      return undefined;
    }
    requireFittingTable(runtime, begun, nodeCompiler());
  } catch (error) {
    if (!(error instanceof TuningTableError)) throw error;
    const other = tableOfDevice(runtime, request);
    note(
      `the tuning table ${begun?.digest ?? 'in config.json'} that this run was begun with cannot be used: ` +
        `${error.message}. With ${other ? `the table ${other.digest}` : 'the shipped variants'} ${change}`,
    );
    return other;
  }
  const now = tableOfDevice(runtime, request);
  if (now && now.digest !== begun.digest) {
    note(
      `going on with the tuning table ${begun.digest} that this run was begun with, not the newer ${now.digest}`,
    );
  }
  return begun;
}
