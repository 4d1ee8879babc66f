import { writeFileSync } from 'node:fs';

/** Writes a report to a file, or to standard output where `--json` was given without one. */
export function writeJson(target: string | true, report: unknown): void {
  const text = `${JSON.stringify(report, null, 2)}\n`;
  if (target === true) {
    process.stdout.write(text);
    return;
  }
  writeFileSync(target, text);
  console.error(`wrote ${target}`);
}
