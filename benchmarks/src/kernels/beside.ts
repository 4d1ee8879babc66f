import { textTable } from '@tubelet/trainer/formats';
import { runBeside } from '../shared/beside.js';
import { median } from './batch-timer.js';
import type { KernelRow } from './report.js';

/** What a kernel takes at a shape, here and in another checkout, each with the variant that it chooses. */
export interface KernelComparison {
  readonly kernel: string;
  readonly case: string;
  readonly here: KernelRow;
  readonly there: KernelRow;
  /** Median over the batches of the time here over that of the batch of the same number there. */
  readonly ratio: number;
}

export interface KernelComparisons {
  readonly comparisons: readonly KernelComparison[];
  /** Whether both have the same cases, so that batches of one number were taken one after the other. */
  readonly haveSameCases: boolean;
}

/**
 * Times kernels of this checkout in turn with those of the one in `folder` (`runBeside`), a batch here and a batch there.
 */
export async function measureBeside(folder: string, args: readonly string[]): Promise<KernelComparisons> {
  const [here, there] = await runBeside<{ readonly rows: readonly KernelRow[] }>(folder, 'kernels', [
    ...args,
    '--chosen',
  ]);
  return compareKernels(here.rows, there.rows);
}

/** Pairs the kernels and cases that both measured. */
export function compareKernels(here: readonly KernelRow[], there: readonly KernelRow[]): KernelComparisons {
  const comparisons = here.flatMap((row) => {
    const other = there.find(({ kernel, case: name }) => kernel === row.kernel && name === row.case);
    if (!other) return [];
    const ratios = row.batchSeconds.map((seconds, i) => seconds / other.batchSeconds[i]!);
    return [{ kernel: row.kernel, case: row.case, here: row, there: other, ratio: median(ratios) }];
  });
  const casesOf = (rows: readonly KernelRow[]) => rows.map(({ kernel, case: name }) => `${kernel} ${name}`);
  return { comparisons, haveSameCases: String(casesOf(here)) === String(casesOf(there)) };
}

/** Time here over that there, case by case, and how many cases got slower. */
export function formatComparisons({ comparisons, haveSameCases }: KernelComparisons): string {
  const headings = ['kernel', 'case', 'ms there', 'ms here', 'here / there'];
  const cells = comparisons.map(({ kernel, case: name, here, there, ratio }) => [
    ...[kernel, name],
    ...[there, here].map(({ seconds }) => (1000 * seconds).toFixed(3)),
    `${ratio.toFixed(3)}×`,
  ]);
  const slower = comparisons.filter(({ ratio }) => ratio > 1.03).length;
  const lines = [
    textTable([headings, ...cells], new Set([2, 3, 4])),
    `${slower} of ${comparisons.length} cases take more than 1.03 of their time there.`,
  ];
  if (!haveSameCases)
    lines.push(
      'The two have not the same cases: from the first that only one has on, batches were not taken next to each other. ' +
        'Name kernels by --kernel.',
    );
  return lines.join('\n');
}
