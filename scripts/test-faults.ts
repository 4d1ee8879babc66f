// Runs a tiny model again and again, and does something to each run: kills it at a random instant, fills its disk, makes
// its folder read-only, damages a checkpoint or a clip, takes the GPU away, puts in NaN. Each must end with the bytes of
// a run that nothing happened to, or with the error that docs/running.md has for it. So must a study that is killed in its
// trainings. Then 2,000 steps in a process, whose memory, descriptors and processes must stay as they are.
//
//   npm run test:faults                     at least 200 runs and the 2,000 steps
//   npm run test:faults -- --short          a few of each kind, and no study
//   npm run test:faults -- --only kill --runs 50
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cacheDirectory } from '@tubelet/kernels/node';
import { writeDataSet } from '../apps/pretrain/src/testing/data-set.js';
import { kinds, type FaultContext } from './lib/fault-kinds.js';
import { lastBytes, train } from './lib/faulty-runs.js';
import { longRun } from './lib/long-run.js';
import { requireBuilt } from './lib/programs.js';
import { quickCompiling } from './lib/shader-cache.js';

const { values } = parseArgs({
  options: { short: { type: 'boolean' }, only: { type: 'string' }, runs: { type: 'string' } },
});
type KindName = keyof typeof kinds;
const kindNames = Object.keys(kinds) as KindName[];
const names: string[] = [...kindNames, 'long'];
if (values.only !== undefined && !names.includes(values.only)) {
  throw new Error(`--only: ${values.only} is none of ${names.join(', ')}`);
}
const runsOf = (name: KindName) =>
  Number(values.runs ?? (values.short ? kinds[name].short : kinds[name].runs));
if (values.only !== undefined && values.only !== 'long' && runsOf(values.only as KindName) === 0) {
  throw new Error(`--short: has no runs of ${values.only}; leave it out, or say --runs 1`);
}
const isWanted = (name: string) => values.only === undefined || values.only === name;

// The kernels of the runs are those of `npm test`, and what that has compiled serves again.
Object.assign(process.env, quickCompiling(cacheDirectory()));

/** Processes that train at a time: of a tiny model, each leaves a core idle half of the time. */
const AT_A_TIME = 2;

const say = (line: string) => console.log(`[faults] ${line}`);
const folder = mkdtempSync(join(tmpdir(), 'tubelet-faults-'));
const table: [title: string, outcome: string, runs: number][] = [];
let failures = 0;

/** Does something to so many runs of a kind. */
async function testKind(name: KindName, context: Omit<FaultContext, 'out' | 'number'>): Promise<void> {
  const { title, test } = kinds[name];
  const outcomes = new Map<string, number>();
  let next = 0;
  const worker = async () => {
    while (next < runsOf(name)) {
      const number = next++;
      const out = join(folder, `${name}-${number}`);
      let outcome: string;
      try {
        outcome = await test({ ...context, out, number });
      } catch (error) {
        failures += 1;
        outcome = 'FAILED';
        say(`${title}, run ${number + 1}: ${(error as Error).message}`);
      }
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      rmSync(out, { recursive: true, force: true });
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  for (const [outcome, count] of outcomes) {
    table.push([title, outcome, count]);
    say(`${title}: ${outcome} – ${count}`);
  }
}

try {
  requireBuilt();
  const videos = join(folder, 'videos');
  const data = await writeDataSet(videos);
  const whole = join(folder, 'whole');
  // The first compiles kernels; the second says how long an undisturbed run takes.
  const first = await train(videos, join(folder, 'first'));
  const second = await train(videos, whole);
  const bytes = lastBytes(whole);
  if (first.status !== 0 || bytes === undefined || lastBytes(join(folder, 'first')) !== bytes) {
    throw new Error(`undisturbed runs do not end alike:\n${first.output}${second.output}`);
  }
  const context = { folder, videos, data, whole, bytes, wholeMs: second.durationMs };
  for (const name of kindNames) if (isWanted(name)) await testKind(name, context);
  const count = table.reduce((sum, [, , runs]) => sum + runs, 0);
  if (isWanted('long') && !values.short) table.push(...(await longRun(videos, join(folder, 'long'), say)));
  console.log();
  const width = (texts: readonly string[]) => Math.max(...texts.map(({ length }) => length));
  const [titles, outcomes] = [table.map(([title]) => title), table.map(([, outcome]) => outcome)];
  for (const [title, outcome, runs] of table) {
    console.log(`${title.padEnd(width(titles))}  ${outcome.padEnd(width(outcomes))}  ${runs}`);
  }
  say(`${count} runs with faults, ${failures} of them ended otherwise than they must`);
  if (failures > 0) process.exitCode = 1;
} catch (error) {
  console.error(`[faults] ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
