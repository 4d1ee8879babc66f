// How far the runs of a study are, from what they have left in their folders.
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { readRunConfig, UserError } from '@tubelet/trainer';
import type { RunState, StudyRun } from './study-plan.js';
import type { RunResult } from './study-table.js';
import type { Metric } from './studies.js';

/** Steps of a pre-training that has ended; undefined for another. */
export function stepsOfEnded(folder: string): number | undefined {
  const path = join(folder, 'log.jsonl');
  if (!existsSync(path)) return undefined;
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    // A log may have hundreds of megabytes; what ends it has a few hundred bytes.
    const bytes = Buffer.alloc(Math.min(size, 65_536));
    readSync(file, bytes, 0, bytes.length, size - bytes.length);
    const ends = [...bytes.toString('utf8').matchAll(/^\{"type":"(end|resume|start)","step":(\d+)/gm)];
    const [, type, steps] = ends.at(-1) ?? [];
    return type === 'end' ? Number(steps) : undefined;
  } finally {
    closeSync(file);
  }
}

/** @throws UserError for a run whose settings do not say it */
export function stepsPerEpochOf(folder: string): number {
  const { stepsPerEpoch } = readRunConfig(folder).settings;
  if (typeof stepsPerEpoch === 'number') return stepsPerEpoch;
  throw new UserError(
    `${folder}/config.json does not say stepsPerEpoch: train this run anew in another --out.`,
  );
}

const resultPath = ({ folder }: StudyRun) => join(folder, 'test', 'evaluation.json');

export function stateOf(run: StudyRun): RunState {
  const isFinished =
    run.program === 'pretrain' ? stepsOfEnded(run.folder) !== undefined : existsSync(resultPath(run));
  if (isFinished) return 'finished';
  return existsSync(join(run.folder, 'config.json')) ? 'interrupted' : 'to do';
}

/** Recalls of a fine-tuning's test as shares, and of how many videos; null where it is not finished. */
export function resultOf(run: StudyRun): RunResult | null {
  if (!existsSync(resultPath(run))) return null;
  const { metrics, videos } = JSON.parse(readFileSync(resultPath(run), 'utf8')) as {
    metrics: Record<Metric, number>;
    videos: readonly unknown[];
  };
  return { uar: metrics.uar, war: metrics.war, videos: videos.length };
}
