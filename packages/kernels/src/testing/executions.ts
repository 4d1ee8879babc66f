import { appendFileSync } from 'node:fs';

/** Whether a variant is to be compared with the reference: where `TUBELET_VARIANT` names one, no other is. */
export function isCompared(variant: string): boolean {
  const only = process.env['TUBELET_VARIANT'];
  return only === undefined || only === variant;
}

/**
 * Notes that a variant's result was compared with the reference: a line `kernel variant` in the file that
 * `TUBELET_EXECUTIONS` names, if it names one. A script that exists to run a variant checks there that it did run.
 */
export function recordExecution(kernel: string, variant: string): void {
  const path = process.env['TUBELET_EXECUTIONS'];
  if (path) appendFileSync(path, `${kernel} ${variant}\n`);
}
