import { textTable } from '@tubelet/trainer/formats';
import type { Measurement, NumericCheck } from './measure-case.js';
import type { Roofline } from './roofline.js';

/** A measurement seen against the roofline. */
export interface KernelRow extends Measurement {
  readonly gigaflopsPerSecond: number;
  readonly gigabytesPerSecond: number;
  /** Time that the roofline allows over time taken; small kernels are limited by the cost of a dispatch. */
  readonly rooflineShare: number;
  readonly bound: 'arithmetic' | 'memory';
}

export function toRow(measurement: Measurement, roofline: Roofline): KernelRow {
  const { cost, seconds } = measurement;
  const flops = 2 * cost.macs + cost.flops;
  const bytes = cost.bytesRead + cost.bytesWritten;
  const arithmeticSeconds = flops / roofline.gigaflopsPerSecond / 1e9;
  const memorySeconds = bytes / roofline.gigabytesPerSecond / 1e9;
  return {
    ...measurement,
    gigaflopsPerSecond: flops / seconds / 1e9,
    gigabytesPerSecond: bytes / seconds / 1e9,
    rooflineShare: Math.max(arithmeticSeconds, memorySeconds) / seconds,
    bound: arithmeticSeconds > memorySeconds ? 'arithmetic' : 'memory',
  };
}

const HEADINGS = [
  'kernel',
  'case',
  'variant',
  'ms',
  'GFLOP/s',
  'GB/s',
  'roofline',
  'bound',
  'checked',
  'error',
];

export function formatRows(rows: readonly KernelRow[]): string {
  const cells = rows.map((row) => [
    row.kernel,
    row.case,
    row.variant,
    (1000 * row.seconds).toFixed(3),
    row.gigaflopsPerSecond.toFixed(2),
    row.gigabytesPerSecond.toFixed(2),
    `${(100 * row.rooflineShare).toFixed(1)} %`,
    row.bound,
    row.check.against,
    errorCell(row.check),
  ]);
  return textTable([HEADINGS, ...cells], new Set([3, 4, 5, 6]));
}

function errorCell({ against, error, passed }: NumericCheck): string {
  if (against === 'none') return '–';
  return passed ? error.toExponential(1) : `WRONG ${error.toExponential(1)}`;
}
