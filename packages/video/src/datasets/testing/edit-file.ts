import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';

/**
 * Changes a text file.
 *
 * @throws when the change leaves it as it was: a fault was not planted
 */
export function editFile(path: string, change: (text: string) => string): void {
  const before = readFileSync(path, 'utf8');
  const after = change(before);
  if (after === before) throw new Error(`nothing changed in ${path}`);
  writeFileSync(path, after);
}

/** Adds a line to a text file. */
export function appendLine(path: string, line: string): void {
  appendFileSync(path, `${line}\n`);
}
