import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { median } from '../kernels/batch-timer.js';
import { CannotError } from './budget.js';
import { ROOT } from './machine.js';
import type { TrainingRun } from './report.js';

export interface TrainingRunSettings {
  /** Folder of videos or of shards. */
  readonly source: string;
  /** Of its videos. */
  readonly videos: number;
  readonly out: string;
  readonly precision: 'f32' | 'f16';
  readonly clips: number;
  readonly steps: number;
  /** Ends it, with an error. */
  readonly mostSeconds: number;
  /** Options of `tubelet pretrain` for a model other than the base one. */
  readonly model: readonly string[];
}

/**
 * Pre-trains for a few steps, as a user would, and reads the run's log.
 *
 * @throws CannotError where the program is not built or takes too long; Error where it fails
 */
export async function measureTrainingRun(settings: TrainingRunSettings): Promise<TrainingRun> {
  const { source, videos, out, precision, clips, steps, mostSeconds, model } = settings;
  const program = join(ROOT, 'apps', 'tubelet', 'dist', 'cli.js');
  if (!existsSync(program)) throw new CannotError('apps/tubelet is not built: npm run build');
  const options = [
    ...['--precision', precision, '--batch-size', String(clips), '--epochs', '1', '--warmup-epochs', '0'],
    ...['--clips-per-video', String(Math.ceil((steps * clips) / videos)), ...model],
  ];
  await ended(process.execPath, [program, 'pretrain', source, '--out', out, ...options], mostSeconds);
  const command = `tubelet pretrain FOLDER ${options.join(' ')}`;
  return { command, precision, clips, ...runSpeed(readFileSync(join(out, 'log.jsonl'), 'utf8'), clips) };
}

/**
 * How fast a run was in the second half of its steps: the first compile, and fill queues.
 *
 * @param log the text of its `log.jsonl`
 */
export function runSpeed(
  log: string,
  clips: number,
): Pick<TrainingRun, 'steps' | 'clipsPerSecond' | 'waitedForData'> {
  const records = log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { type?: string; durationMs?: number; dataWaitMs?: number })
    .filter(({ type }) => type === 'step') as { durationMs: number; dataWaitMs: number }[];
  const later = records.slice(records.length >> 1);
  if (later.length === 0) throw new Error('its log holds no step');
  const total = later.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const waited = later.reduce((sum, { dataWaitMs }) => sum + dataWaitMs, 0);
  return {
    steps: records.length,
    clipsPerSecond: (1000 * clips) / median(later.map(({ durationMs }) => Math.max(1, durationMs))),
    waitedForData: Math.min(1, waited / Math.max(1, total)),
  };
}

function ended(program: string, args: readonly string[], mostSeconds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: Math.round(1000 * mostSeconds),
      killSignal: 'SIGKILL',
    });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-500)));
    child.on('error', ({ message }) => reject(new Error(message)));
    child.on('exit', (code, signal) => {
      if (code === 0) return resolve();
      // Systems that run out of memory send the same signal.
      if (child.killed) reject(new CannotError(`it took more than ${mostSeconds.toFixed(0)} s`));
      else reject(new Error(`it ended with ${signal ?? code}: ${errors.trim().split('\n').at(-1) ?? ''}`));
    });
  });
}
