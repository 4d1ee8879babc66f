/**
 * Every reader of foreign bytes on more than 100,000 damaged files. The readers work in a process of their own: one that
 * brings it down, or hangs in it, is a finding like any other, and the rest goes on.
 */
import { Command } from 'commander';
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { positiveInteger, runProgram } from '../shared/program.js';
import { textTable } from '@tubelet/trainer/formats';
import { fuzzReader, type FuzzResult } from './fuzz.js';
import { allReaders } from './readers.js';

/** A reader that does so little in so long hangs. */
const SILENCE_MS = 180_000;
/** Enough for files of some kilobytes. */
const HEAP_MIB = 512;

/** Characters of an input that are printed. */
const MOST_SHOWN = 4000;

/** What the process of the readers is told. */
interface Order {
  readonly folder: string;
  readonly seed: number;
  /** How many times each reader's share of inputs. */
  readonly times: number;
  readonly only: string;
  /** Readers that are done. */
  readonly done: readonly string[];
}

/** What it says. */
type Report =
  | { readonly kind: 'at work'; readonly name: string; readonly inputs: number; readonly of: number }
  | { readonly kind: 'done'; readonly result: FuzzResult };

const say = (report: Report) => process.send?.(report);

async function work({ folder, seed, times, only, done }: Order): Promise<void> {
  for (const reader of await allReaders(folder)) {
    const { name, share } = reader;
    if (!name.includes(only) || done.includes(name)) continue;
    const of = Math.ceil(share * times);
    const atWork = (inputs: number) => say({ kind: 'at work', name, inputs, of });
    atWork(0);
    say({ kind: 'done', result: await fuzzReader(reader, { inputs: of, seed, onProgress: atWork }) });
  }
}

/** Has the readers work until all are done, or one of them ends their process; which it was. */
function workApart(order: Order, use: (report: Report) => void): Promise<string | undefined> {
  const child = fork(fileURLToPath(import.meta.url), ['--order', JSON.stringify(order)], {
    execArgv: [...process.execArgv, `--max-old-space-size=${HEAP_MIB}`],
    serialization: 'advanced',
  });
  let last = '';
  const watch = setTimeout(() => child.kill('SIGKILL'), SILENCE_MS);
  child.on('message', (report: Report) => {
    watch.refresh();
    if (report.kind === 'at work') last = report.name;
    use(report);
  });
  return new Promise((resolve) => {
    child.on('exit', (code) => {
      clearTimeout(watch);
      resolve(code === 0 ? undefined : last);
    });
  });
}

interface Options {
  readonly seed: number;
  readonly times: number;
  readonly only: string;
  readonly order?: string;
}

async function run({ seed, times, only, order }: Options): Promise<number> {
  if (order !== undefined) {
    await work(JSON.parse(order) as Order);
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), 'tubelet-fuzz-'));
  const results: FuzzResult[] = [];
  try {
    for (let ended: string | undefined = ''; ended !== undefined;) {
      let inputs = 0;
      const done = results.map(({ name }) => name);
      ended = await workApart({ folder, seed, times, only, done }, (report) => {
        if (report.kind === 'done') results.push(report.result);
        else {
          inputs = report.inputs;
          console.error(`[fuzz] ${report.name}: ${report.inputs} of ${report.of}`);
        }
      });
      if (ended === undefined) break;
      if (ended === '') throw new Error('the readers cannot be made ready; what they said is above');
      const what = `ended its process or hung, after ${inputs} inputs or a little more (seed ${seed})`;
      const findings = [{ what, input: new Uint8Array(0), stack: '' }];
      results.push({ name: ended, inputs, accepted: 0, refused: 0, findings, durationMs: 0 });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  print(results);
  return results.some(({ findings }) => findings.length > 0) ? 1 : 0;
}

const sum = (results: readonly FuzzResult[], of: (result: FuzzResult) => number) =>
  results.reduce((total, result) => total + of(result), 0);

function print(results: readonly FuzzResult[]): void {
  const row = (name: string, of: readonly FuzzResult[]) => [
    name,
    String(sum(of, ({ inputs }) => inputs)),
    String(sum(of, ({ accepted }) => accepted)),
    String(sum(of, ({ refused }) => refused)),
    String(sum(of, ({ findings }) => findings.length)),
    (sum(of, ({ durationMs }) => durationMs) / 1000).toFixed(1),
  ];
  const rows = [...results.map((result) => row(result.name, [result])), row('all', results)];
  const headings = ['reader', 'inputs', 'accepted', 'refused', 'found', 'seconds'];
  console.log(textTable([headings, ...rows], new Set([1, 2, 3, 4, 5])));
  for (const { name, findings } of results) {
    for (const { what, input, stack } of findings) {
      console.log(
        `\n${name}: ${what}\n${stack}\ninput (base64, ${input.length} bytes): ${Buffer.from(input).toString('base64').slice(0, MOST_SHOWN)}`,
      );
    }
  }
}

const program = new Command('test:fuzz')
  .description('Damages sound files at random and gives them to every reader of what others have written.')
  .option('--seed <n>', 'another one damages them otherwise', positiveInteger, 1)
  .option('--times <x>', 'so many times the usual number of inputs', Number, 1)
  .option('--only <name>', 'only readers whose name holds this', '')
  .option('--order <json>', 'what the process of the readers is told; used by this program itself');

await runProgram(program, run);
