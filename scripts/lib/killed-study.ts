import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { checkpointsOf, logOf, type Ended } from './faulty-runs.js';
import { optionWords } from '../../apps/tubelet/src/study/option-words.js';
import { program } from './programs.js';
import { require } from './require.js';

/*
 * The miniature of a study, killed in the middle of a training and started again by the same command.
 */

/** One pre-training and two fine-tunings, all of them as short as they go. */
const STUDY = 'table-5';
const RUNS = ['base', 'base-faces-original-tokens', 'base-faces'];
const PEOPLE = 5;
const options = {
  people: PEOPLE,
  'pretrain-options': optionWords({
    ...{ dim: 32, depth: 1, heads: 1, 'decoder-dim': 32, 'decoder-heads': 1 },
    ...{ epochs: 16, 'save-every': 5 },
  }).join(' '),
  'finetune-options': optionWords({ 'save-every': 4, workers: 1 }).join(' '),
};

/** Runs of a study: the folder that the command is started in, and its `--out`. */
interface Place {
  readonly folder: string;
  readonly out: string;
}
const runsOf = ({ folder, out }: Place) => join(folder, out, `drawn-faces-${PEOPLE}`);
const stepsOf = (run: string) => logOf(run).flatMap(({ type, step }) => (type === 'step' ? [step] : []));

const HANGING_MS = 600_000;

interface Study {
  /** Whether it has ended, or never begun. */
  isOver: boolean;
  readonly ended: Promise<Omit<Ended, 'durationMs'>>;
  kill(): void;
}

// Groups of processes get no Ctrl-C from the terminal.
const running = new Set<Study>();
process.once('exit', () => running.forEach((study) => study.kill()));
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

/** Starts the study with its trainings as a group of processes, which can be killed as a whole. */
function start({ folder, out }: Place): Study {
  const words = ['study', STUDY, '--miniature', ...optionWords({ ...options, out })];
  const child = spawn(process.execPath, [program, ...words], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const ended = new Promise<Omit<Ended, 'durationMs'>>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal, output }));
  });
  const study: Study = {
    isOver: false,
    ended,
    kill: () => {
      if (!study.isOver && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    },
  };
  running.add(study);
  const hanging = setTimeout(() => study.kill(), HANGING_MS);
  const forget = () => {
    study.isOver = true;
    running.delete(study);
    clearTimeout(hanging);
  };
  ended.then(forget, forget);
  return study;
}

/** What a finished study has left: its tables, and the weights that each of its trainings ended with. */
function resultsOf(place: Place): string {
  const runs = runsOf(place);
  const tables = ['md', 'json', 'html'].map((ending) =>
    readFileSync(join(runs, `${STUDY}.${ending}`), 'utf8'),
  );
  const weights = RUNS.map((run) => {
    const last = readFileSync(checkpointsOf(join(runs, run)).at(-1)!);
    return createHash('sha256').update(last).digest('hex');
  });
  return [...tables, ...weights].join('\n');
}

/** Runs the study to its end; gives what it printed. */
async function finish(place: Place): Promise<string> {
  const { status, signal, output } = await start(place).ended;
  require(status === 0, `the study ended with ${signal ?? `exit code ${status}`}`, output);
  return output;
}

/** Kills the study, with all of its processes, once a training has come to a step. */
async function killIn(place: Place, run: string, step: number): Promise<void> {
  const study = start(place);
  const hasCome = () => stepsOf(join(runsOf(place), run)).length >= step;
  while (!study.isOver && !hasCome()) await delay(2);
  const hadCome = hasCome();
  study.kill();
  const { signal, output } = await study.ended;
  require(hadCome && signal === 'SIGKILL', `the study ended before step ${step} of ${run}`, output);
}

let undisturbed: Promise<string> | undefined;

async function undisturbedStudy(folder: string): Promise<string> {
  const place = { folder, out: 'study-whole' };
  await finish(place);
  return resultsOf(place);
}

/** Kills a study in the middle of its pre-training, then of a fine-tuning, and lets it end. */
export async function killedStudy({
  folder,
  number,
}: {
  readonly folder: string;
  readonly number: number;
}): Promise<string> {
  undisturbed ??= undisturbedStudy(folder);
  const whole = await undisturbed;
  const place = { folder, out: `study-${number}` };
  await killIn(place, 'base', 8);
  await killIn(place, 'base-faces', 6);
  const output = await finish(place);
  require(resultsOf(place) === whole, 'it ends with another table or other weights', output);
  for (const run of RUNS) {
    const steps = stepsOf(join(runsOf(place), run));
    require(steps.every((step, i) => step === i + 1), `logged are the steps ${steps.join()} of ${run}`);
  }
  return 'tables and weights of the undisturbed study';
}
