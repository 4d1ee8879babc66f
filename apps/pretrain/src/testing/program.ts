/** Runs the program as its user does, and looks at what it leaves. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
// Test code of a neighbour, which is no part of what its package offers.
import {
  runInProcess,
  type EndedInProcess,
} from '../../../../packages/trainer/src/testing/run-in-process.js';
import { prepareCommand, reconstructCommand, trainCommand } from '../index.js';

export { TINY_MODEL } from './tiny-model.js';

const program = fileURLToPath(new URL('../../../tubelet/dist/cli.js', import.meta.url));

/** `{ 'batch-size': 2, resume: true }` → `--batch-size 2 --resume` */
export function options(values: Readonly<Record<string, string | number | true>>): string[] {
  return Object.entries(values).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [`--${name}`, `${value}`],
  );
}

export interface Ended {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Starts the built program, for what only a process can do: be killed. */
export function start(args: readonly string[]): Started {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TUBELET_DEBUG: '' },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(([exitCode, signal]): Ended => {
    return { exitCode: exitCode as number | null, signal: signal as NodeJS.Signals | null, stdout, stderr };
  });
  return { child, ended };
}

/** Runs the program within the test. */
export function run(args: readonly string[]): Promise<EndedInProcess> {
  return runInProcess([trainCommand(), prepareCommand(), reconstructCommand()], args);
}

/** Runs the program, which must succeed. */
export async function succeed(args: readonly string[]): Promise<EndedInProcess> {
  const result = await run(args);
  expect(result.exitCode, result.stderr).toBe(0);
  return result;
}

/** Runs the program, which must end with `exitCode` and a message, without a stack trace; gives the message. */
export async function fail(args: readonly string[], exitCode: 1 | 2): Promise<string> {
  const result = await run(args);
  expect(result.exitCode, result.stderr).toBe(exitCode);
  expect(result.stderr).toMatch(/^error: /m);
  expect(result.stderr).not.toMatch(/^ {4}at .*(node:|\.m?js|\.ts)|unexpected error|defect/m);
  return result.stderr;
}

/** Sends `signal` once the run in `folder` has logged a step after `step`; then waits for the end. */
export async function signalAfterStep(
  { child, ended }: Started,
  folder: string,
  step: number,
  signal: NodeJS.Signals,
): Promise<Ended> {
  while (child.exitCode === null && lastStep(folder) < step) await delay(2);
  child.kill(signal);
  return ended;
}

export interface StepRecord {
  readonly step: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Whole records of a run's log; the last line of a log in use may lack its end. */
export function logOf(folder: string): { type: string; step: number; [field: string]: unknown }[] {
  const path = join(folder, 'log.jsonl');
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as { type: string; step: number });
}

export function stepsOf(folder: string): StepRecord[] {
  return logOf(folder).filter(({ type }) => type === 'step') as unknown as StepRecord[];
}

export function lastStep(folder: string): number {
  return stepsOf(folder).at(-1)?.step ?? 0;
}

/** Paths of a run's checkpoints, oldest first. */
export function checkpointsOf(folder: string): string[] {
  const directory = join(folder, 'checkpoints');
  const names = readdirSync(directory).filter((name) => /^step-\d+\.safetensors$/.test(name));
  return names.sort().map((name) => join(directory, name));
}

export function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Digest of the newest checkpoint of a run. */
export function finalDigest(folder: string): string {
  return sha256(checkpointsOf(folder).at(-1)!);
}
