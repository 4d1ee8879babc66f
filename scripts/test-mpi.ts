// Runs the ranks of jobs on this machine under Open MPI and MPICH, which are fetched into the cache folder: that the
// collectives give the right bits, that the main thread is free meanwhile, that a rank which fails or is killed ends the
// job with a message; then that jobs of 2 and 4 ranks train as one process does, fine-tune with evaluations that are
// shared out, go on with another number of ranks, and leave a sound checkpoint when one is killed or fails. Says how long
// sums take.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDirectory } from '@tubelet/kernels/node';
import { writeDotData } from '../apps/finetune/src/testing/moving-dots.js';
import { writeDataSet } from '../apps/pretrain/src/testing/data-set.js';
import { fromSource } from './lib/from-source.js';
import { fetchMpi, mpiNames, type Mpi } from './lib/mpi.js';
import {
  STEPS,
  communicationOf,
  finetune,
  killRank,
  loggedSteps,
  testResults,
  train,
  trainDisturbed,
  weightDifference,
  type TestResults,
} from './lib/mpi-training.js';
import { require } from './lib/require.js';
import { root } from './lib/root.mjs';

/** A job that has not ended by then hangs. */
const HANGING_MS = 120_000;

/**
 * After 20 steps: ranks add gradients in another order than one process, which rounds otherwise, and AdamW divides by
 * what may be small.
 */
const MOST_RELATIVE_DIFFERENCE = 5e-7;
const MOST_DIFFERENCE = 2e-6;

/**
 * What is said of a rank that was killed: the signal; or, where another rank of MPICH misses it first, an exit code or
 * what failed.
 */
const KILLED = /signal 9|EXIT CODE: 9|Fatal error in internal_/;

/** A scenario of `packages/mpi/src/testing/collectives.ts`, and what it must end with. */
interface Scenario {
  readonly name: string;
  readonly passes: boolean;
  readonly says?: RegExp;
}

const scenarios: readonly Scenario[] = [
  { name: 'results', passes: true },
  { name: 'overlap', passes: true },
  { name: 'speed', passes: true },
  { name: 'leave', passes: true },
  { name: 'error', passes: false, says: /this rank has failed on purpose/ },
  { name: 'kill', passes: false, says: KILLED },
];

const collectives = [...fromSource, join(root, 'packages/mpi/src/testing/collectives.ts')];

function testCollectives(mpi: Mpi, ranks: number, { name, passes, says }: Scenario): void {
  const args = [...mpi.args, '-n', String(ranks), process.execPath, ...collectives, name, String(ranks)];
  const { status, stdout, stderr, error } = spawnSync(mpi.launcher, args, {
    env: mpi.env,
    encoding: 'utf8',
    timeout: HANGING_MS,
    killSignal: 'SIGKILL',
  });
  const output = `${stdout}${stderr}`;
  require(!error, error?.message ?? '', output);
  require((status === 0) === passes, `ended with exit code ${status}`, output);
  require(!says || says.test(output), `said nothing that matches ${says}`, output);
  if (name === 'speed') console.log(stdout.trim());
}

function requireAlike(out: string, reference: string, what: string): string {
  const { greatest, relative } = weightDifference(out, reference);
  const text = `weights differ by ${greatest.toExponential(1)} at the most, ${relative.toExponential(1)} in norm`;
  require(greatest <= MOST_DIFFERENCE && relative <= MOST_RELATIVE_DIFFERENCE, `${what}: ${text}`);
  return text;
}

function testTraining(mpi: Mpi, ranks: number, videos: string, out: string, reference: string): string {
  const { status, output } = train(mpi, ranks, videos, out);
  require(status === 0, `ended with exit code ${status}`, output);
  require(/cut-short\.mp4/.test(output), 'nobody names the file that cannot be used', output);
  require(loggedSteps(out).length ===
    STEPS, `${loggedSteps(out).length} of ${STEPS} steps are logged`, output);
  const { stepMs, sumsMs, waitedMs } = communicationOf(out);
  const share = `sums take ${sumsMs.toFixed(0)} ms of a step of ${stepMs.toFixed(0)}, ${waitedMs.toFixed(0)} of them waited for`;
  return `${requireAlike(out, reference, `${ranks} ranks against one`)}; ${share}`;
}

/** Probabilities of videos that were scored by other weights, within what sums in another order do to these. */
const MOST_PROBABILITY_DIFFERENCE = 1e-3;

/** Fine-tunes: every video is validated and tested once, by one of the ranks, and as one process does. */
function testFinetuning(mpi: Mpi, ranks: number, data: string, out: string, reference: string): string {
  const { status, output } = finetune(mpi, ranks, data, out);
  require(status === 0, `ended with exit code ${status}`, output);
  const [found, expected] = [testResults(out), testResults(reference)];
  const ids = ({ videos }: TestResults) => videos.map(({ id }) => id).join();
  require(ids(found) === ids(expected), `tested are ${ids(found)} in place of ${ids(expected)}`);
  require(found.validations.length === 2, `${found.validations.length} validations are logged in place of 2`);
  let greatest = 0;
  found.videos.forEach(({ probabilities }, video) =>
    probabilities.forEach((probability, k) => {
      const difference = Math.abs(probability - (expected.videos[video]?.probabilities[k] ?? NaN));
      greatest = Math.max(greatest, difference);
    }),
  );
  const lossOf = (metrics: TestResults['validations'][number] | undefined) =>
    metrics?.['validation/loss'] ?? NaN;
  const losses = found.validations.map((metrics, i) =>
    Math.abs(lossOf(metrics) - lossOf(expected.validations[i])),
  );
  greatest = Math.max(greatest, ...losses);
  require(greatest <= MOST_PROBABILITY_DIFFERENCE, `results differ by ${greatest} from those of one process`);
  return `${found.videos.length} videos tested, results differ by ${greatest.toExponential(1)} at the most`;
}

/** Kills a rank of four, and goes on with two. */
async function testKilledRank(mpi: Mpi, videos: string, out: string, reference: string): Promise<string> {
  const { status, output, steps } = await trainDisturbed(mpi, 4, videos, out, {
    afterStep: 7,
    disturb: (launcher) => killRank(launcher, 2),
  });
  require(status !== 0, 'the job went on without a rank', output);
  require(KILLED.test(output), 'nothing says that a rank was killed', output);
  require(steps < STEPS, 'the job had ended before a rank was killed', output);
  const wrong = train(mpi, 2, videos, out, { resume: true, accumulate: 1 });
  require(/with 2 ranks give --accumulate 2/.test(
    wrong.output,
  ), 'steps of another size were begun', wrong.output);
  return `killed after step ${steps}, ${resumeWithTwo(mpi, videos, out, reference)}`;
}

function resumeWithTwo(mpi: Mpi, videos: string, out: string, reference: string): string {
  const resumed = train(mpi, 2, videos, out, { resume: true });
  require(resumed.status === 0, `the rest ended with exit code ${resumed.status}`, resumed.output);
  require(/resuming after step \d+/.test(resumed.output), 'it began anew', resumed.output);
  require(loggedSteps(out).length === STEPS, 'steps are missing in the log, or there twice', resumed.output);
  return requireAlike(out, reference, 'what went on with two ranks');
}

/**
 * Lets a rank fail by itself, the one that writes checkpoints, while the others are in the sums of the next step: what
 * failed there must be said, and nothing be lost that was written before.
 */
async function testFailingRank(mpi: Mpi, videos: string, out: string, reference: string): Promise<string> {
  const checkpoints = join(out, 'checkpoints');
  const { status, output, steps } = await trainDisturbed(mpi, 2, videos, out, {
    afterStep: 7,
    disturb: () => {
      renameSync(checkpoints, `${checkpoints}-moved`);
      writeFileSync(checkpoints, 'no folder');
    },
  });
  require(status !== 0, 'the job went on without checkpoints', output);
  require(/ENOTDIR|EEXIST/.test(output), 'nothing says why no checkpoint could be written', output);
  rmSync(checkpoints);
  renameSync(`${checkpoints}-moved`, checkpoints);
  return `failed after step ${steps}, ${resumeWithTwo(mpi, videos, out, reference)}`;
}

const folder = mkdtempSync(join(tmpdir(), 'tubelet-mpi-'));
const videos = join(folder, 'videos');
const alone = join(folder, 'alone');
try {
  await writeDataSet(videos);
  const { status, output } = train(undefined, 1, videos, alone);
  require(status === 0, `a process alone ended with exit code ${status}`, output);
  const dots = await writeDotData(join(folder, 'dots'), { subjects: 12 });
  const tuned = join(folder, 'tuned');
  const finetuned = finetune(undefined, 1, dots, tuned);
  require(finetuned.status ===
    0, `a process alone ended with exit code ${finetuned.status}`, finetuned.output);
  for (const name of mpiNames) {
    const mpi = await fetchMpi(cacheDirectory(), name);
    const test = async (what: string, run: () => string | void | Promise<string>) => {
      const title = `${mpi.title} ${mpi.version}, ${what}`;
      try {
        const said = await run();
        console.log(`[mpi] ${title}: ${said ?? 'passed'}`);
      } catch (error) {
        throw new Error(`${title}: ${(error as Error).message}`, { cause: error });
      }
    };
    for (const ranks of [2, 4]) {
      for (const scenario of scenarios) {
        await test(`${ranks} ranks, ${scenario.name}`, () => testCollectives(mpi, ranks, scenario));
      }
      const out = join(folder, `${name}-${ranks}`);
      await test(`${ranks} ranks, ${STEPS} steps`, () => testTraining(mpi, ranks, videos, out, alone));
    }
    await test('2 ranks, fine-tuning', () =>
      testFinetuning(mpi, 2, dots, join(folder, `${name}-tuned`), tuned));
    await test('2 ranks, one fails, then 2', () =>
      testFailingRank(mpi, videos, join(folder, `${name}-failed`), alone));
    await test('4 ranks, one killed, then 2', () =>
      testKilledRank(mpi, videos, join(folder, `${name}-killed`), alone));
  }
} catch (error) {
  console.error(`[mpi] NOT PASSED: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
