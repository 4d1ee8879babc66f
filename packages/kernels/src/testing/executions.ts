/** Whether a variant is to be compared with the reference: where `TUBELET_VARIANT` names one, no other is. */
export function isCompared(variant: string): boolean {
  const only = process.env['TUBELET_VARIANT'];
  return only === undefined || only === variant;
}

/**
 * Notes that a variant's result was compared with the reference: a line `kernel variant` in the file that
 * `TUBELET_EXECUTIONS` names, if it names one. A script that exists to run a variant checks there that it did run.
 */
export async function recordExecution(kernel: string, variant: string): Promise<void> {
  const path = process.env['TUBELET_EXECUTIONS'];
  // In a page there are no files, and the variable is not set.
  if (path) (await import('node:fs')).appendFileSync(path, `${kernel} ${variant}\n`);
}
