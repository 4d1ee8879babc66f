import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { runProgram } from '../shared/program.js';
import { documents } from './documents.js';

const read = (path: string) => readFileSync(path, 'utf8');

const program = new Command('docs')
  .description(
    `Writes documents, or tables in them, that come from tables of the sources: ${Object.keys(documents).join(', ')}.`,
  )
  .option('--check', 'write nothing; exit code 1 when a file is not up to date');

await runProgram<{ readonly check?: true }>(program, async ({ check }) => {
  let stale = 0;
  for (const [path, make] of Object.entries(documents)) {
    const text = await make(read);
    const isCurrent = existsSync(path) && read(path) === text;
    if (!isCurrent) stale++;
    if (check) {
      if (!isCurrent) console.error(`${path} is not up to date: run \`npm run docs\``);
      continue;
    }
    writeFileSync(path, text);
    console.log(`${path}${isCurrent ? ' (unchanged)' : ''}`);
  }
  return check && stale > 0 ? 1 : 0;
});
