import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { checkpointsOf, logOf } from './faulty-runs.mjs';
import { optionWords, program } from './programs.mjs';

/*
 * The miniature of a study, killed in the middle of a training and started again by the same command.
 */

/** One pre-training and two fine-tunings, all of them as short as they go. */
const STUDY = 'table-5';
const RUNS = ['base', 'base-faces-original-tokens', 'base-faces'];
const PEOPLE = 5;
const ENCODER = { dim: 32, depth: 1, heads: 1 };
const options = {
  people: PEOPLE,
  'pretrain-options': optionWords({
    ...ENCODER,
    ...{ 'decoder-dim': 32, 'decoder-heads': 1, epochs: 16, 'save-every': 5 },
  }).join(' '),
  'finetune-options': optionWords({ 'save-every': 4, workers: 1 }).join(' '),
};

/** Starts the study with its trainings as a group of processes, which can be killed as a whole. */
function start(folder, out) {
  const words = ['study', STUDY, '--miniature', ...optionWords({ ...options, out })];
  const child = spawn(process.execPath, [program, ...words], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (output += text));
  }
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal, output }));
  });
  return { child, ended };
}

const runsOf = (folder, out) => join(folder, out, `drawn-faces-${PEOPLE}`);
const stepsOf = (run) => logOf(run).flatMap(({ type, step }) => (type === 'step' ? [step] : []));

/** What a finished study has left: its tables, and the weights that each of its trainings ended with. */
function resultsOf(folder, out) {
  const place = runsOf(folder, out);
  const tables = ['md', 'json', 'html'].map((ending) =>
    readFileSync(join(place, `${STUDY}.${ending}`), 'utf8'),
  );
  const weights = RUNS.map((run) => {
    const last = checkpointsOf(join(place, run)).at(-1);
    return createHash('sha256').update(readFileSync(last)).digest('hex');
  });
  return [...tables, ...weights].join('\n');
}

/** The study to its end. */
async function finish(folder, out) {
  const { status, signal, output } = await start(folder, out).ended;
  if (status !== 0) throw new Error(`the study ended with ${signal ?? `exit code ${status}`}:\n${output}`);
  return output;
}

/** Kills the study, with all of its processes, once a training has come to a step; says whether it came to that. */
async function killIn(folder, out, run, step) {
  const { child, ended } = start(folder, out);
  const hasCome = () => stepsOf(join(runsOf(folder, out), run)).length >= step;
  while (child.exitCode === null && !hasCome()) await delay(2);
  if (child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  return (await ended).signal === 'SIGKILL';
}

let undisturbed;

/**
 * Kills a study in the middle of its pre-training, then of a fine-tuning, and lets it end.
 *
 * @param {{ folder: string, out: string, number: number }} context
 * @throws Error where it ends with other tables or other weights than one that nothing happened to
 */
export async function killedStudy({ folder, number }) {
  undisturbed ??= finish(folder, 'study-whole').then(() => resultsOf(folder, 'study-whole'));
  const whole = await undisturbed;
  const out = `study-${number}`;
  for (const [run, step] of [
    ['base', 8],
    ['base-faces', 6],
  ]) {
    if (!(await killIn(folder, out, run, step)))
      throw new Error(`the study ended before step ${step} of ${run}`);
  }
  const output = await finish(folder, out);
  if (resultsOf(folder, out) !== whole)
    throw new Error(`it ends with another table or other weights:\n${output}`);
  for (const run of RUNS) {
    const steps = stepsOf(join(runsOf(folder, out), run));
    if (steps.some((step, i) => step !== i + 1)) throw new Error(`logged are the steps ${steps} of ${run}`);
  }
  return 'tables and weights of the undisturbed study';
}
