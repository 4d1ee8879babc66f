import { textTable } from '@tubelet/trainer/formats';
import { runBeside } from '../shared/beside.js';
import { median } from './batch-timer.js';
import type { KernelRow } from './report.js';

/** What a kernel takes at a shape, here and in another checkout, with the variant that each chooses. */
export interface KernelComparison {
  readonly kernel: string;
  readonly case: string;
  readonly here: KernelRow;
  readonly there: KernelRow;
  /** Median over the batches of the time here over that of the batch taken just before or after it there. */
  readonly ratio: number;
}

/**
 * Times kernels of this checkout in turn with those of the one in `folder` (`runBeside`), a batch here and a batch there.
 */
export async function measureBeside(folder: string, args: readonly string[]): Promise<KernelComparison[]> {
  const [here, there] = await runBeside<{ readonly rows: readonly KernelRow[] }>(folder, 'kernels', [
    ...args,
    '--chosen',
  ]);
  return compareKernels(here.rows, there.rows);
}

/** Pairs the kernels and cases that both measured. */
export function compareKernels(here: readonly KernelRow[], there: readonly KernelRow[]): KernelComparison[] {
  return here.flatMap((row) => {
    const other = there.find(({ kernel, case: name }) => kernel === row.kernel && name === row.case);
    if (!other) return [];
    const ratios = row.batchSeconds.map((seconds, i) => seconds / other.batchSeconds[i]!);
    return [{ kernel: row.kernel, case: row.case, here: row, there: other, ratio: median(ratios) }];
  });
}

/** Time here over that there, case by case, and how many cases got slower. */
export function formatComparisons(comparisons: readonly KernelComparison[]): string {
  const headings = ['kernel', 'case', 'there', 'here', 'ms there', 'ms here', 'here / there'];
  const cells = comparisons.map(({ kernel, case: name, here, there, ratio }) => [
    ...[kernel, name, there.variant, here.variant],
    ...[there, here].map(({ seconds }) => (1000 * seconds).toFixed(3)),
    `${ratio.toFixed(3)}×`,
  ]);
  const slower = comparisons.filter(({ ratio }) => ratio > 1.03).length;
  return (
    textTable([headings, ...cells], new Set([4, 5, 6])) +
    `\n${slower} of ${comparisons.length} cases take more than 1.03 of their time there.`
  );
}
