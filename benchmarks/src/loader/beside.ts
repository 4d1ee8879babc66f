import { textTable } from '@tubelet/trainer/formats';
import { runBeside } from '../shared/beside.js';
import { median } from '../kernels/batch-timer.js';
import type { LoaderResult } from './measure-loader.js';

/** How fast clips of a source are loaded here and in another checkout, each with the decoder that it chooses. */
export interface LoaderComparison {
  readonly source: string;
  readonly here: LoaderResult;
  readonly there: LoaderResult;
  /** Median over the rounds of the clips a second here over those of the round of the same number there. */
  readonly ratio: number;
}

/**
 * Measures the loaders of this checkout in turn with those of the one in `folder` (`runBeside`), a round here and a
 * round there, on the same files, and gives the sources that both read.
 *
 * @throws UsageError where the folder holds no such benchmark, built; Error where one of them fails
 */
export async function measureBeside(folder: string, args: readonly string[]): Promise<LoaderComparison[]> {
  const [here, there] = await runBeside<{ readonly results: readonly LoaderResult[] }>(folder, 'loader', [
    ...args,
    '--chosen',
  ]);
  return compareLoaders(here.results, there.results);
}

/** Pairs the sources that both measured. */
export function compareLoaders(
  here: readonly LoaderResult[],
  there: readonly LoaderResult[],
): LoaderComparison[] {
  return here.flatMap((result) => {
    const other = there.find(({ source }) => source === result.source);
    if (!other) return [];
    const ratios = result.roundClipsPerSecond.map((clips, i) => clips / other.roundClipsPerSecond[i]!);
    return [{ source: result.source, here: result, there: other, ratio: median(ratios) }];
  });
}

/** Clips a second here over those there, the processor time of a clip, and how long a trainer waits. */
export function formatComparisons(
  comparisons: readonly LoaderComparison[],
  trainerClipsPerSecond: number,
): string {
  const headings = [
    ...['source', 'decoder there', 'here', 'clips/s there', 'here', 'here / there'],
    ...['processor time a clip', `waits at ${trainerClipsPerSecond} clips/s`],
  ];
  const milliseconds = ({ cores, clipsPerSecond }: LoaderResult) =>
    cores === undefined ? '' : `${((1000 * cores) / clipsPerSecond).toFixed(0)} ms`;
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  const cells = comparisons.map(({ source, here, there, ratio }) => [
    ...[source, there.name, here.name, there.clipsPerSecond.toFixed(1), here.clipsPerSecond.toFixed(1)],
    `${ratio.toFixed(2)}×`,
    `${milliseconds(there)} → ${milliseconds(here)}`,
    `${percent(there.waited)} → ${percent(here.waited)}`,
  ]);
  return textTable([headings, ...cells], new Set([3, 4, 5, 6, 7]));
}
