import type { ModelMeasurement } from './measure-model.js';
import type { ModelName, Task } from './workload.js';

export interface ModelRow extends ModelMeasurement {
  readonly model: ModelName;
  readonly task: Task;
  readonly batchSize: number;
}

const HEADINGS = [
  'model',
  'task',
  'part',
  's/step',
  'clips/s',
  'GFLOP/s',
  'GB moved',
  'dispatches',
  'submits',
  'µs JS/dispatch',
  'µs JS/replayed',
  'new buffers',
  'new bind groups',
  'peak MB',
];

export function formatModels(rows: readonly ModelRow[]): string {
  const cells = rows.flatMap(({ model, task, phases }) =>
    phases.map((part) => [
      model,
      task,
      part.phase,
      part.seconds.toFixed(3),
      part.clipsPerSecond.toFixed(2),
      (part.gigaflops / part.seconds).toFixed(1),
      (part.bytes / 1e9).toFixed(3),
      String(part.dispatches),
      String(part.submits),
      part.javascriptMicroseconds.toFixed(1),
      part.replayMicroseconds.toFixed(1),
      String(part.buffersCreated),
      String(part.bindGroupsCreated),
      (part.peakBytes / 1e6).toFixed(0),
    ]),
  );
  const widths = HEADINGS.map((heading, i) =>
    Math.max(heading.length, ...cells.map((line) => line[i]!.length)),
  );
  const format = (line: readonly string[]) =>
    line.map((cell, i) => (i < 3 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ');
  return [HEADINGS, ...cells].map(format).join('\n');
}

/** LGI-Former base over ViT-B in time and in work, for every task that ran on both. */
export function formatRatios(rows: readonly ModelRow[]): string[] {
  return rows
    .filter(({ model }) => model === 'base')
    .flatMap(({ task, phases }) => {
      const vit = rows.find((row) => row.model === 'vit-base' && row.task === task);
      if (!vit) return [];
      return phases.map((part, i) => {
        const other = vit.phases[i]!;
        const time = (part.seconds / other.seconds).toFixed(2);
        const work = (part.gigaflops / other.gigaflops).toFixed(2);
        return `base / vit-base, ${task}, ${part.phase}: ${time} of the time, ${work} of the operations`;
      });
    });
}
