import { barChart } from '@tubelet/trainer';
import type { ModelRow } from './report.js';
import { phases } from './workload.js';

/** Clips a second of every model, task and batch size, a bar for each part of a step. An SVG document. */
export function modelChart(rows: readonly ModelRow[], adapter: string): string {
  return barChart({
    title: `Clips a second, ${adapter}`,
    valueLabel: 'clips/s (longer is faster)',
    categories: rows.map(({ model, task, batchSize }) => `${model}, ${task}, ${batchSize}`),
    series: phases.map((phase) => {
      const values = rows.map(
        (row) => row.phases.find((part) => part.phase === phase)?.clipsPerSecond ?? Number.NaN,
      );
      return { name: phase, values, texts: values.map((value) => value.toPrecision(3)) };
    }),
  });
}
