import { textTable } from '@tubelet/trainer/formats';
import { runBeside } from '../shared/beside.js';
import type { PhaseMeasurement } from './measure-model.js';
import type { ModelRow } from './report.js';

/** A part of a step here and in another checkout. */
export interface Comparison extends Pick<ModelRow, 'model' | 'task' | 'batchSize'> {
  readonly here: PhaseMeasurement;
  readonly there: PhaseMeasurement;
}

/**
 * Measures steps of this checkout in turn with those of the one in `folder` (`runBeside`), and gives the parts of steps
 * that both measured.
 */
export async function measureBeside(folder: string, args: readonly string[]): Promise<Comparison[]> {
  const [here, there] = await runBeside<{ readonly rows: readonly ModelRow[] }>(folder, 'model', args);
  return compareRows(here.rows, there.rows);
}

/** Pairs what both measured. */
export function compareRows(here: readonly ModelRow[], there: readonly ModelRow[]): Comparison[] {
  return here.flatMap(({ model, task, batchSize, phases }) => {
    const other = there.find(
      (row) => row.model === model && row.task === task && row.batchSize === batchSize,
    );
    return phases.flatMap((part) => {
      const same = other?.phases.find(({ phase }) => phase === part.phase);
      return same ? [{ model, task, batchSize, here: part, there: same }] : [];
    });
  });
}

/** Time, dispatches, bytes and memory here over those there. */
export function formatComparisons(comparisons: readonly Comparison[]): string {
  const headings = ['model', 'task', 'clips', 'part', 's/step there', 'here', 'here / there'];
  const counts = ['dispatches', 'GB moved', 'peak MB'];
  const cells = comparisons.map(({ model, task, batchSize, here, there }) => [
    ...[model, task, String(batchSize), here.phase],
    ...[there.seconds.toFixed(3), here.seconds.toFixed(3), `${(here.seconds / there.seconds).toFixed(3)}×`],
    `${there.dispatches} → ${here.dispatches}`,
    `${(there.bytes / 1e9).toFixed(3)} → ${(here.bytes / 1e9).toFixed(3)}`,
    `${(there.peakBytes / 1e6).toFixed(0)} → ${(here.peakBytes / 1e6).toFixed(0)}`,
  ]);
  return textTable([[...headings, ...counts], ...cells], new Set([2, 4, 5, 6, 7, 8, 9]));
}
