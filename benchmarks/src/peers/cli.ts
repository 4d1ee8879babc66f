import { cacheDirectory } from '@tubelet/kernels/node';
import { Command, Option } from 'commander';
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openJson } from '../shared/json-output.js';
import { positiveInteger, runProgram, UsageError } from '../shared/program.js';
import { peerCases, type PeerCase } from './cases.js';
import { ratioChart } from './chart.js';
import { compareResults, shareOfProcessor, verdicts, type ComparedResult } from './comparison.js';
import { EngineProcess } from './engine-process.js';
import { absentEngines, engines, OWN_ENGINE, SCALE_ENGINE, type EngineEntry } from './engines.js';
import { installPeers, lockedVersion } from './installation.js';
import { measurePeerCase, type PeerOptions, type PeerResult } from './measure.js';
import { formatResults } from './report.js';

interface Options {
  readonly engine?: readonly string[];
  readonly case?: readonly string[];
  readonly rounds?: number;
  readonly quick?: true;
  readonly timeout: number;
  readonly json?: string | true;
  readonly svg?: string;
}

// Relative to the built program, which lies beside the processes' own.
const SOURCE = fileURLToPath(new URL('../peers', import.meta.url));
const PROCESS = new URL('./peer-process.js', import.meta.url);

const thorough: PeerOptions = { rounds: 9, batchMs: 400 };
const quick: PeerOptions = { rounds: 3, batchMs: 50 };

const program = new Command('bench:peers')
  .description(
    "Measures Tubelet beside other WebGPU engines on the same adapter, at the model's shapes: every engine in a " +
      'process of its own with the same pauses between questions to the GPU, in interleaved rounds, medians and ' +
      'ratios within rounds. All results are checked against double precision; wrong ones are shown as wrong. The ' +
      'engines are installed into the cache folder at the first use. Exit code 1 when a result of Tubelet is wrong.',
  )
  .addOption(
    new Option('--engine <name...>', 'only Tubelet and these engines').choices(
      engines.map(({ name }) => name),
    ),
  )
  .option('--case <text...>', 'only cases whose names contain one of these texts')
  .option('--rounds <n>', 'interleaved rounds', positiveInteger)
  .option('--quick', 'fewer and shorter rounds: figures are rougher')
  .option('--timeout <seconds>', 'an engine that takes longer for one answer is ended', positiveInteger, 300)
  .option('--json [file]', 'write JSON to a file, or to standard output instead of the table')
  .option('--svg <file>', 'write a chart of the ratios');

async function run(options: Options): Promise<number> {
  const cases = selectCases(options.case);
  const chosen = engines.filter(
    ({ name }) => name === OWN_ENGINE || !options.engine || options.engine.includes(name),
  );
  const writeJson = openJson(options.json);
  const writeSvg = openSvg(options.svg);
  const base = options.quick ? quick : thorough;
  const settings = { ...base, rounds: options.rounds ?? base.rounds };
  const folder = join(cacheDirectory(), 'peers');
  const results: PeerResult[] = [];
  const adapters: Record<string, string> = {};
  const { opened, failed } = await openEngines(chosen, folder, options.timeout, adapters);
  try {
    for (const peerCase of cases) {
      console.error(`${peerCase.name} …`);
      const measured = await measurePeerCase(opened, peerCase, settings);
      results.push(...measured, ...failed.map((failure) => ({ case: peerCase.name, ...failure })));
    }
  } finally {
    for (const process of opened) process.close();
  }
  const compared = compareResults(results);
  const conditions =
    `${adapters[OWN_ENGINE] ?? 'no adapter'}; median of ${settings.rounds} interleaved rounds; ` +
    `${new Date().toISOString().slice(0, 16)}Z, load ${loadavg()[0]!.toFixed(1)}`;
  if (options.json !== true) print(compared, conditions);
  writeJson({ conditions, adapters, settings, absentEngines, results: compared });
  writeSvg(ratioChart(compared, conditions));
  const own = compared.filter(({ engine }) => engine === OWN_ENGINE);
  return own.every(({ outcome }) => outcome.status === 'right') ? 0 : 1;
}

function print(results: readonly ComparedResult[], conditions: string): void {
  console.log(`${formatResults(results)}\n`);
  for (const line of verdicts(results)) console.log(line);
  const share = shareOfProcessor(results);
  if (share !== undefined) {
    console.log(
      `Square product: ${(100 * share).toFixed(1)} % of what ${SCALE_ENGINE}, reaches on this machine’s processor`,
    );
  }
  for (const { name, reason } of absentEngines) console.log(`Not compared: ${name}, ${reason}`);
  console.log(conditions);
}

/** Installs and starts the engines; those that fail are reported in every case. */
async function openEngines(
  chosen: readonly EngineEntry[],
  folder: string,
  timeoutSeconds: number,
  adapters: Record<string, string>,
): Promise<{ opened: EngineProcess[]; failed: Omit<PeerResult, 'case'>[] }> {
  const opened: EngineProcess[] = [];
  const failed: Omit<PeerResult, 'case'>[] = [];
  let installation: Error | undefined;
  try {
    if (chosen.some((entry) => entry.package))
      await installPeers(SOURCE, folder, (line) => console.error(line));
  } catch (error) {
    installation = error as Error;
    console.error(`${installation.message}`);
  }
  for (const entry of chosen) {
    const version = entry.package ? lockedVersion(SOURCE, entry.package) : 'this checkout';
    const process = new EngineProcess(entry, {
      program: PROCESS,
      folder,
      version,
      timeoutMs: 1000 * timeoutSeconds,
    });
    try {
      if (entry.package && installation) throw installation;
      const { version: running, adapter } = await process.open();
      adapters[entry.name] = adapter;
      console.error(`${entry.name} ${running}: ${adapter}`);
      opened.push(process);
    } catch (error) {
      process.close();
      const reason = (error as Error).message;
      console.error(`${entry.name} ${version}: ${reason}`);
      failed.push({
        engine: entry.name,
        role: entry.role,
        method: '',
        outcome: { status: 'absent', reason },
      });
    }
  }
  return { opened, failed };
}

function selectCases(texts: readonly string[] | undefined): readonly PeerCase[] {
  if (!texts) return peerCases;
  const selected = peerCases.filter(({ name }) => texts.some((text) => name.includes(text)));
  if (selected.length > 0) return selected;
  const known = peerCases.map(({ name }) => name).join('; ');
  throw new UsageError(`--case: no case is called "${texts.join('" or "')}"; there are: ${known}`);
}

/** Opens the file before the work starts. */
function openSvg(file: string | undefined): (svg: string) => void {
  if (file === undefined) return () => undefined;
  try {
    writeFileSync(file, '');
  } catch (error) {
    throw new UsageError(`--svg: cannot write ${file}: ${(error as Error).message}`);
  }
  return (svg) => {
    writeFileSync(file, svg);
    console.error(`wrote ${file}`);
  };
}

await runProgram(program, run);
