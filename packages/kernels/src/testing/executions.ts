import { appendFileSync } from 'node:fs';

/**
 * Notes that a variant's result was compared with the reference: a line `kernel variant` in the file that
 * `TUBELET_EXECUTIONS` names, if it names one. A script that exists to run a variant checks there that it did run.
 */
export function recordExecution(kernel: string, variant: string): void {
  const path = process.env['TUBELET_EXECUTIONS'];
  if (path) appendFileSync(path, `${kernel} ${variant}\n`);
}
