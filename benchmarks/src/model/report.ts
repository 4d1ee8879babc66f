import { textTable } from '@tubelet/trainer/formats';
import type { ModelMeasurement } from './measure-model.js';
import type { TrainerMeasurement } from './measure-trainer.js';
import type { ModelName, Phase, Task } from './workload.js';

export interface ModelRow extends ModelMeasurement {
  readonly model: ModelName;
  readonly task: Task;
  readonly batchSize: number;
}

const HEADINGS = [
  'model',
  'task',
  'clips',
  'part',
  's/step',
  'clips/s',
  'GFLOP/s',
  'GB moved',
  'of unfused',
  'dispatches',
  'submits',
  'µs JS/dispatch',
  'µs JS/replayed',
  'µs own JS',
  'ms upload',
  'new buffers',
  'new bind groups',
  'peak MB',
];
const NUMERIC = new Set(HEADINGS.flatMap((name, i) => (['model', 'task', 'part'].includes(name) ? [] : [i])));

export function formatModels(rows: readonly ModelRow[]): string {
  const cells = rows.flatMap(({ model, task, batchSize, phases }) =>
    phases.map((part) => [
      model,
      task,
      String(batchSize),
      part.phase,
      part.seconds.toFixed(3),
      part.clipsPerSecond.toFixed(2),
      (part.gigaflops / part.seconds).toFixed(1),
      (part.bytes / 1e9).toFixed(3),
      part.unfusedBytes === undefined ? '–' : `${(part.bytes / part.unfusedBytes).toFixed(2)}×`,
      String(part.dispatches),
      String(part.submits),
      part.javascriptMicroseconds.toFixed(1),
      part.replayMicroseconds.toFixed(1),
      part.ownMicroseconds.toFixed(2),
      part.uploadMilliseconds.toFixed(2),
      String(part.buffersCreated),
      String(part.bindGroupsCreated),
      (part.peakBytes / 1e6).toFixed(0),
    ]),
  );
  return textTable([HEADINGS, ...cells], NUMERIC);
}

export interface TrainerRow extends TrainerMeasurement {
  readonly model: ModelName;
  readonly task: Task;
  readonly batchSize: number;
}

/** Clips a second of a run's steps beside those of steps that are waited for. */
export function formatTrainer(rows: readonly TrainerRow[]): string {
  const headings = ['model', 'task', 'clips', 'clips/s, one at a time', 'clips/s, as a run', 'ratio'];
  const cells = rows.map(({ model, task, batchSize, benchSeconds, trainerSeconds }) => [
    ...[model, task, String(batchSize), (batchSize / benchSeconds).toFixed(2)],
    ...[(batchSize / trainerSeconds).toFixed(2), (benchSeconds / trainerSeconds).toFixed(3)],
  ]);
  return textTable([headings, ...cells], new Set([2, 3, 4, 5]));
}

/** What one model takes of another's time, beside what it takes of its operations. */
export interface ModelRatio {
  readonly model: ModelName;
  readonly task: Task;
  readonly batchSize: number;
  readonly phase: Phase;
  readonly time: number;
  readonly operations: number;
}

/** Every LGI-Former over ViT-B, where both ran on the same task and batch. */
export function modelRatios(rows: readonly ModelRow[]): ModelRatio[] {
  return rows
    .filter(({ model }) => model !== 'vit-base')
    .flatMap(({ model, task, batchSize, phases }) => {
      const isPartner = (row: ModelRow) =>
        row.model === 'vit-base' && row.task === task && row.batchSize === batchSize;
      const vit = rows.find(isPartner);
      if (!vit) return [];
      return phases.map(({ phase, seconds, gigaflops }, i) => {
        const other = vit.phases[i]!;
        const [time, operations] = [seconds / other.seconds, gigaflops / other.gigaflops];
        return { model, task, batchSize, phase, time, operations };
      });
    });
}

/** A line for each ratio, with how far the time is off from what the operations promise. */
export function formatRatios(rows: readonly ModelRow[]): string[] {
  return modelRatios(rows).map(({ model, task, batchSize, phase, time, operations }) => {
    const off = 100 * (time / operations - 1);
    const sign = off < 0 ? '−' : '+';
    return (
      `${model} / vit-base, ${task}, ${batchSize} clips, ${phase}: ${time.toFixed(2)} of the time, ` +
      `${operations.toFixed(2)} of the operations (${sign}${Math.abs(off).toFixed(0)} %)`
    );
  });
}
