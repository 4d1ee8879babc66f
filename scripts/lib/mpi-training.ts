import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { clearTimeout, setTimeout } from 'node:timers';
import { setTimeout as delay } from 'node:timers/promises';
import { TINY_MODEL } from '../../apps/pretrain/src/testing/tiny-model.js';
import type { Mpi } from './mpi.js';
import { optionWords, type OptionValues } from '../../apps/tubelet/src/study/option-words.js';
import { program } from './programs.js';
import { root } from './root.mjs';

/*
 * Pre-training as jobs of several ranks, held against one process that takes the same steps: batches of ranks that it
 * does one after the other.
 */

/** Batches of a step, over all ranks. */
const BATCHES = 4;
/** 5 files, each 8 times an epoch, are 5 steps of 4 batches of 2. */
export const STEPS = 20;

const settings = {
  ...TINY_MODEL,
  'clips-per-video': 8,
  'batch-size': 2,
  epochs: 4,
  'warmup-epochs': 1,
  'save-every': 3,
  lr: 0.05,
  workers: 1,
};

/** A job that has not ended by then hangs. */
const HANGING_MS = 300_000;

/** The command of a job of so many ranks; without an MPI of one. */
function command(
  mpi: Mpi | undefined,
  ranks: number,
  videos: string,
  out: string,
  changes: OptionValues,
): Job {
  const options = { ...settings, accumulate: BATCHES / ranks, out, ...changes };
  return job(mpi, ranks, [program, 'pretrain', videos, ...optionWords(options)]);
}

interface Job {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

function job(mpi: Mpi | undefined, ranks: number, args: readonly string[]): Job {
  if (mpi === undefined) return { file: process.execPath, args, env: process.env };
  return {
    file: mpi.launcher,
    args: [...mpi.args, '-n', String(ranks), process.execPath, ...args],
    env: mpi.env,
  };
}

/** How a job ended. */
export interface JobEnd {
  readonly status: number | null;
  readonly output: string;
}

/**
 * Trains with so many ranks.
 *
 * @param mpi not needed for one rank
 * @param changes options besides those of all runs
 */
export function train(
  mpi: Mpi | undefined,
  ranks: number,
  videos: string,
  out: string,
  changes: OptionValues = {},
): JobEnd {
  return run(command(mpi, ranks, videos, out, changes));
}

/**
 * Fine-tunes a tiny classifier with so many ranks, two epochs with a validation after each and the test at the end.
 *
 * @param data the CSV file of drawn dots
 */
export function finetune(mpi: Mpi | undefined, ranks: number, data: string, out: string): JobEnd {
  const {
    'decoder-dim': _,
    'decoder-depth': __,
    'decoder-heads': ___,
    'mask-ratio': ____,
    ...model
  } = TINY_MODEL;
  const options = {
    ...{
      ...model,
      data: 'csv',
      root: data,
      out,
      fold: 1,
      epochs: 2,
      'warmup-epochs': 0,
      lr: 0.05,
      workers: 1,
    },
    ...{ 'batch-size': 2, accumulate: 4 / ranks, clips: 1, 'validation-share': 0.33 },
  };
  return run(job(mpi, ranks, [program, 'finetune', ...optionWords(options)]));
}

export interface TestResults {
  readonly videos: readonly { readonly id: string; readonly probabilities: readonly number[] }[];
  readonly validations: readonly Metrics[];
}

/** What a test of a fold found, and what each validation of its run did. */
export function testResults(out: string): TestResults {
  const { videos } = JSON.parse(readFileSync(join(out, 'test', 'evaluation.json'), 'utf8')) as TestResults;
  const validations = recordsOf(out).filter(({ type }) => type === 'validation');
  return { videos, validations: validations.map(({ metrics }) => metrics) };
}

/** Means over the logged steps, in milliseconds: of a step, of sums over ranks, and of what of them was waited for. */
export function communicationOf(out: string) {
  // The first step sums after the backward pass, to learn its order.
  const steps = loggedSteps(out).slice(1);
  const mean = (of: (step: LogRecord) => number) =>
    steps.reduce((sum, step) => sum + of(step), 0) / steps.length;
  return {
    stepMs: mean(({ durationMs }) => durationMs),
    sumsMs: mean(({ metrics }) => metrics['communication/ms'] ?? NaN),
    waitedMs: mean(({ metrics }) => metrics['communication/waited ms'] ?? NaN),
  };
}

function run({ file, args, env }: Job): JobEnd {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    cwd: root,
    env,
    encoding: 'utf8',
    timeout: HANGING_MS,
    killSignal: 'SIGKILL',
  });
  if (error) throw error;
  return { status, output: `${stdout}${stderr}` };
}

/** Children of a process, and theirs. */
function descendants(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  const children = existsSync(path) ? readFileSync(path, 'utf8').split(' ').filter(Boolean) : [];
  return children.flatMap((child) => [Number(child), ...descendants(Number(child))]);
}

/** The process of a rank below a launcher; undefined before it is there. */
function processOfRank(launcher: number, rank: number): number | undefined {
  return descendants(launcher).find((pid) => {
    try {
      const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      const isRank = variables.some(
        (line) => line === `OMPI_COMM_WORLD_RANK=${rank}` || line === `PMI_RANK=${rank}`,
      );
      return isRank && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[1] === program;
    } catch {
      return false;
    }
  });
}

/** Kills the process of a rank below a launcher. */
export function killRank(launcher: number, rank: number): void {
  const pid = processOfRank(launcher, rank);
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
}

/**
 * Trains, and does something to the job once so many steps are logged.
 *
 * @param disturb is given the process of the launcher
 * @returns with the steps that are logged in the end
 */
export async function trainDisturbed(
  mpi: Mpi,
  ranks: number,
  videos: string,
  out: string,
  { afterStep, disturb }: { afterStep: number; disturb: (launcher: number) => void },
): Promise<JobEnd & { steps: number }> {
  const { file, args, env } = command(mpi, ranks, videos, out, {});
  const child = spawn(file, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = new Promise<number | null>((resolve) => child.on('close', (status) => resolve(status)));
  let hasEnded = false;
  void ended.then(() => (hasEnded = true));
  const limit = Date.now() + HANGING_MS;
  while (!hasEnded && loggedSteps(out).length < afterStep && Date.now() < limit) await delay(10);
  disturb(child.pid!);
  const timer = setTimeout(() => child.kill('SIGKILL'), HANGING_MS);
  const status = await ended;
  clearTimeout(timer);
  return { status, output, steps: loggedSteps(out).length };
}

/** The records of a run's steps. */
export const loggedSteps = (out: string) => recordsOf(out).filter(({ type }) => type === 'step');

type Metrics = Readonly<Record<string, number>>;

interface LogRecord {
  readonly type: string;
  readonly durationMs: number;
  readonly metrics: Metrics;
}

function recordsOf(out: string): LogRecord[] {
  const path = join(out, 'log.jsonl');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as LogRecord);
}

/** Of a safetensors file: where the bytes of each tensor lie. Its `__metadata__` has none. */
type Header = Readonly<Record<string, { readonly data_offsets?: readonly [number, number] }>>;

/** The weights of a run's last checkpoint, by name. */
function lastWeights(out: string) {
  const folder = join(out, 'checkpoints');
  const name = readdirSync(folder)
    .filter((file) => /^step-\d+\.safetensors$/.test(file))
    .sort()
    .at(-1);
  if (name === undefined) throw new Error(`${folder} has no checkpoint`);
  const bytes = readFileSync(join(folder, name));
  const headerBytes = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes)) as Header;
  const weights = Object.entries(header).flatMap(([key, { data_offsets: offsets }]) => {
    if (offsets === undefined || key.startsWith('exp_avg')) return [];
    const [begin, end] = offsets.map((offset) => bytes.byteOffset + 8 + headerBytes + offset);
    return [[key, new Float32Array(bytes.buffer.slice(begin!, end))] as const];
  });
  return { name, weights: new Map(weights) };
}

/** Greatest difference of a weight of two runs, and the norm of all differences beside that of the weights. */
export function weightDifference(out: string, reference: string): { greatest: number; relative: number } {
  const [a, b] = [lastWeights(out), lastWeights(reference)];
  if (a.name !== b.name) throw new Error(`${out} ends with ${a.name}, ${reference} with ${b.name}`);
  let [greatest, differences, squares]: [number, number, number] = [0, 0, 0];
  for (const [key, values] of b.weights) {
    values.forEach((value, i) => {
      const difference = Math.abs((a.weights.get(key)?.[i] ?? NaN) - value);
      // NaN too.
      if (!(difference <= greatest)) greatest = difference;
      differences += difference ** 2;
      squares += value ** 2;
    });
  }
  return { greatest, relative: Math.sqrt(differences / squares) };
}
