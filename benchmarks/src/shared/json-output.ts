import { closeSync, openSync, writeSync } from 'node:fs';
import { UsageError } from './program.js';

/**
 * Opens what `--json` names (a file, or standard output where it was given without one) before the work starts,
 * and gives the function that writes the report there. Throws `UsageError` when the file cannot be written.
 */
export function openJson(target: string | true | undefined): (report: unknown) => void {
  if (target === undefined) return () => undefined;
  const format = (report: unknown) => `${JSON.stringify(report, null, 2)}\n`;
  if (target === true) return (report) => void process.stdout.write(format(report));
  let file: number;
  try {
    file = openSync(target, 'w');
  } catch (error) {
    throw new UsageError(`--json: cannot write ${target}: ${(error as Error).message}`);
  }
  return (report) => {
    writeSync(file, format(report));
    closeSync(file);
    console.error(`wrote ${target}`);
  };
}
