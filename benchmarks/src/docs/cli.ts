import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { kernelCatalogue } from '@tubelet/kernels/lab';
import { Command } from 'commander';
import { runProgram } from '../shared/program.js';
import { kernelTable } from './kernel-table.js';

interface Options {
  readonly out: string;
  readonly check?: true;
}

const program = new Command('docs:kernels')
  .description("Writes the support table of all kernels from the kernels' case tables.")
  .option('--out <file>', 'where to write it', 'docs/kernels.md')
  .option('--check', 'write nothing; exit code 1 when the file is not up to date');

await runProgram<Options>(program, async ({ out, check }) => {
  const text = await kernelTable(kernelCatalogue);
  const isCurrent = existsSync(out) && readFileSync(out, 'utf8') === text;
  if (check) {
    if (!isCurrent) console.error(`${out} is not up to date: run \`npm run docs:kernels\``);
    return isCurrent ? 0 : 1;
  }
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, text);
  console.log(`${kernelCatalogue.length} kernels in ${out}${isCurrent ? ' (unchanged)' : ''}`);
  return 0;
});
