import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { clearTimeout, setTimeout } from 'node:timers';
import { TINY_MODEL } from '../../apps/pretrain/src/testing/tiny-model.js';
import { optionWords, type OptionValues } from '../../apps/tubelet/src/study/option-words.js';
import { program } from './programs.js';
import { root } from './root.mjs';

/*
 * Runs of a tiny model to which something happens, and what they leave.
 */

/** The same program on the built packages, but that it can be told to lose its GPU, or to come upon NaN. */
const faultyProgram = join(root, 'apps', 'pretrain', 'src', 'testing', 'faulty-program.ts');

/** 5 files, each twice an epoch, are 5 steps of 2. */
export const STEPS = 15;
export const SAVE_EVERY = 4;
const settings = {
  ...TINY_MODEL,
  'clips-per-video': 2,
  'batch-size': 2,
  epochs: 3,
  'warmup-epochs': 1,
  'save-every': SAVE_EVERY,
  keep: 2,
  lr: 0.1,
  workers: 1,
};

/** A program that has not ended by then hangs. */
const HANGING_MS = 300_000;

export interface How {
  /** Options besides those of all runs. */
  readonly changes?: OptionValues;
  /** Of the GPU, as `faulty-program.ts` takes them. */
  readonly faults?: object;
  /** After so many milliseconds it is killed. */
  readonly killAfterMs?: number;
  readonly env?: NodeJS.ProcessEnv;
  /** Words in front of the command. */
  readonly wrap?: readonly string[];
  readonly whileRunning?: (child: ChildProcess) => void;
}

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly durationMs: number;
}

/** Trains in a process. */
export async function train(videos: string, out: string, how: How = {}): Promise<Ended> {
  const { changes = {}, faults, killAfterMs, env = {}, wrap = [], whileRunning } = how;
  const words = optionWords({ ...settings, out, resume: 'auto', ...changes });
  const started = faults ? ['--import', 'tsx', faultyProgram] : [program, 'pretrain'];
  const [file, ...args] = [...wrap, process.execPath, ...started, videos, ...words];
  const began = performance.now();
  const child = spawn(file!, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...(faults && { FAULTS: JSON.stringify(faults) }), ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const timers = [setTimeout(() => child.kill('SIGKILL'), HANGING_MS)];
  if (killAfterMs !== undefined) timers.push(setTimeout(() => child.kill('SIGKILL'), killAfterMs));
  const ended = new Promise<Pick<Ended, 'status' | 'signal'>>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal }));
  });
  whileRunning?.(child);
  const { status, signal } = await ended;
  timers.forEach((timer) => clearTimeout(timer));
  const durationMs = performance.now() - began;
  if (durationMs > HANGING_MS) throw new Error(`it hung:\n${output}`);
  return { status, signal, output, durationMs };
}

/** Paths of a run's checkpoints, oldest first. */
export function checkpointsOf(out: string): string[] {
  const folder = join(out, 'checkpoints');
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => /^step-\d+\.safetensors$/.test(name));
  return names.sort().map((name) => join(folder, name));
}

/** Digest of a run's checkpoint after its last step; undefined where there is none. */
export function lastBytes(out: string): string | undefined {
  const last = checkpointsOf(out).at(-1);
  if (!last?.includes(String(STEPS).padStart(8, '0'))) return undefined;
  return createHash('sha256').update(readFileSync(last)).digest('hex');
}

/** A record of a run's log: what it holds hangs on its type. */
export interface LogRecord {
  readonly type: string;
  readonly step?: number;
  readonly path?: string;
  readonly reason?: string;
  readonly file?: string;
}

/** Whole records of a run's log. */
export function logOf(out: string): LogRecord[] {
  const path = join(out, 'log.jsonl');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as LogRecord);
}
