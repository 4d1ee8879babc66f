import { shown } from '@tubelet/kernels';
import { readLog } from '../run/run-log.js';

/** In characters: a page is for people to read. */
const LONGEST_EVENT = 10_000;

/** What the names of metrics of validations begin with. */
export const VALIDATION_PREFIX = 'validation/';

/** A curve: values over completed steps. */
export interface Series {
  readonly name: string;
  readonly steps: number[];
  readonly values: number[];
}

export interface EpochMean {
  readonly epoch: number;
  readonly steps: number;
  /** Mean of each metric over the epoch's steps, and each metric of its validation. */
  readonly means: ReadonlyMap<string, number>;
}

/** What a report shows of a log. */
export interface ReportData {
  readonly series: readonly Series[];
  readonly clipsPerSecond: Series;
  /** Milliseconds that steps waited for data and for the GPU. */
  readonly waits: readonly [data: Series, gpu: Series];
  readonly epochs: readonly EpochMean[];
  readonly completedSteps: number;
  readonly totalSteps: number | null;
  /** Time spent in steps, in all parts of the run together. */
  readonly stepsDurationMs: number;
  /** Values that were not finite: they are in no curve and no mean. */
  readonly nonFiniteValues: number;
  /** Records other than steps and validations, in order: starts, checkpoints, warnings. */
  readonly events: readonly { readonly type: string; readonly step: number; readonly text: string }[];
}

class EpochSums {
  steps = 0;
  readonly sums = new Map<string, { sum: number; count: number }>();

  add(name: string, value: number): void {
    const entry = this.sums.get(name) ?? { sum: 0, count: 0 };
    entry.sum += value;
    entry.count += 1;
    this.sums.set(name, entry);
  }

  means(): Map<string, number> {
    return new Map([...this.sums].map(([name, { sum, count }]) => [name, sum / count]));
  }
}

/**
 * Reads the log of a run.
 *
 * @throws UserError when there is none, or a line of it is damaged
 */
export async function readReportData(path: string): Promise<ReportData> {
  const series = new Map<string, Series>();
  const clipsPerSecond: Series = { name: 'clips per second', steps: [], values: [] };
  const waits: [Series, Series] = [
    { name: 'for data', steps: [], values: [] },
    { name: 'for the GPU', steps: [], values: [] },
  ];
  const epochs = new Map<number, EpochSums>();
  const events: { type: string; step: number; text: string }[] = [];
  let completedSteps = 0;
  let totalSteps: number | null = null;
  let stepsDurationMs = 0;
  let nonFiniteValues = 0;

  for await (const record of readLog(path)) {
    const { type, step, time: _time, ...fields } = record;
    if (typeof record.totalSteps === 'number') totalSteps = record.totalSteps;
    if (type !== 'step' && type !== 'validation') {
      events.push({ type, step, text: shown(fields, LONGEST_EVENT) });
      continue;
    }
    const epoch = typeof record.epoch === 'number' ? record.epoch : 0;
    const sums = epochs.get(epoch) ?? new EpochSums();
    epochs.set(epoch, sums);
    if (type === 'step') {
      completedSteps = step;
      sums.steps += 1;
      if (typeof record.durationMs === 'number') stepsDurationMs += record.durationMs;
      addPoint(clipsPerSecond, step, record.clipsPerSecond);
      addPoint(waits[0], step, record.dataWaitMs);
      addPoint(waits[1], step, record.gpuWaitMs);
    }
    for (const [name, value] of Object.entries((record.metrics ?? {}) as Record<string, unknown>)) {
      if (typeof value !== 'number') {
        nonFiniteValues += 1;
        continue;
      }
      const curve = series.get(name) ?? { name, steps: [], values: [] };
      series.set(name, curve);
      curve.steps.push(step);
      curve.values.push(value);
      sums.add(name, value);
    }
  }
  return {
    series: [...series.values()],
    clipsPerSecond,
    waits,
    epochs: [...epochs].map(([epoch, sums]) => ({ epoch, steps: sums.steps, means: sums.means() })),
    completedSteps,
    totalSteps,
    stepsDurationMs,
    nonFiniteValues,
    events,
  };
}

function addPoint({ steps, values }: Series, step: number, value: unknown): void {
  if (typeof value !== 'number') return;
  steps.push(step);
  values.push(value);
}

/** A curve with at most `points` points, each the mean of equally many neighbours. */
export function thinned({ name, steps, values }: Series, points: number): Series {
  const width = Math.ceil(steps.length / points);
  if (width <= 1) return { name, steps, values };
  const thin: Series = { name, steps: [], values: [] };
  for (let begin = 0; begin < steps.length; begin += width) {
    const bin = values.slice(begin, begin + width);
    thin.values.push(bin.reduce((sum, value) => sum + value, 0) / bin.length);
    thin.steps.push(steps[Math.min(begin + width, steps.length) - 1] ?? 0);
  }
  return thin;
}
