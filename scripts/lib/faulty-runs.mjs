import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { clearTimeout, setTimeout } from 'node:timers';
import { optionWords, program } from './programs.mjs';
import { root } from './root.mjs';
import { bundleSource, importSource } from './source.mjs';

/*
 * Runs of a tiny model to which something happens, and what they leave.
 */

/** The same program, but that it can be told to lose its GPU, or to come upon NaN. */
const faultyProgram = await bundleSource('apps/pretrain/src/testing/faulty-program.ts', {
  owner: 'apps/pretrain',
});
const { TINY_MODEL } = await importSource('apps/pretrain/src/testing/tiny-model.ts');

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

/**
 * Trains in a process.
 *
 * @param {string} videos
 * @param {string} out
 * @param {object} [how] `changes` of options; `faults` of the GPU; `killAfterMs`, after which it is killed; `env`;
 *   `wrap`, words in front of the command; `whileRunning`, called with the process
 * @returns {Promise<{ status: number | null, signal: string | null, output: string, durationMs: number }>}
 */
export async function train(videos, out, how = {}) {
  const { changes = {}, faults, killAfterMs, env = {}, wrap = [], whileRunning } = how;
  const script = faults ? faultyProgram : program;
  const words = optionWords({ ...settings, out, resume: 'auto', ...changes });
  const command = [process.execPath, script, ...(faults ? [] : ['pretrain']), ...[videos].flat(), ...words];
  const [file, ...args] = [...wrap, ...command];
  const began = performance.now();
  const child = spawn(file, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...(faults && { FAULTS: JSON.stringify(faults) }), ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (output += text));
  }
  const timers = [setTimeout(() => child.kill('SIGKILL'), HANGING_MS)];
  if (killAfterMs !== undefined) timers.push(setTimeout(() => child.kill('SIGKILL'), killAfterMs));
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal }));
  });
  await whileRunning?.(child);
  const { status, signal } = await ended;
  timers.forEach(clearTimeout);
  const durationMs = performance.now() - began;
  if (durationMs > HANGING_MS) throw new Error(`it hung:\n${output}`);
  return { status, signal, output, durationMs };
}

/** Paths of a run's checkpoints, oldest first. */
export function checkpointsOf(out) {
  const folder = join(out, 'checkpoints');
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => /^step-\d+\.safetensors$/.test(name));
  return names.sort().map((name) => join(folder, name));
}

/** Digest of a run's checkpoint after its last step; undefined where there is none. */
export function lastBytes(out) {
  const last = checkpointsOf(out).at(-1);
  if (!last?.includes(String(STEPS).padStart(8, '0'))) return undefined;
  return createHash('sha256').update(readFileSync(last)).digest('hex');
}

/** Whole records of a run's log. */
export function logOf(out) {
  const path = join(out, 'log.jsonl');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}
