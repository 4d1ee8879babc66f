import { closeSync, openSync, writeSync } from 'node:fs';
import { UsageError } from './program.js';

/**
 * Opens what `--json` names (a file, or standard output where it was given without one) before the work starts, and
 * gives the function that writes the report there.
 *
 * @throws UsageError when the file cannot be written
 */
export function openJson(target: string | true | undefined): (report: unknown) => void {
  const format = (report: unknown) => `${JSON.stringify(report, null, 2)}\n`;
  if (target === true) return (report) => void process.stdout.write(format(report));
  const write = openText('--json', target);
  return (report) => write(format(report));
}

/** The same for the text of another option; nothing is written where it was not given. */
export function openText(option: string, target: string | undefined): (text: string) => void {
  if (target === undefined) return () => undefined;
  let file: number;
  try {
    file = openSync(target, 'w');
  } catch (error) {
    throw new UsageError(`${option}: cannot write ${target}: ${(error as Error).message}`);
  }
  return (text) => {
    writeSync(file, text);
    closeSync(file);
    console.error(`wrote ${target}`);
  };
}
