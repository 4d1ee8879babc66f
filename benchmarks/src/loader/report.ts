import { textTable } from '@tubelet/trainer/formats';
import type { LoaderResult } from './measure-loader.js';

// What GPU machines have; the time of a processor says what as many of the same would feed.
const MANY_CORES = 16;

/** The table: one line for each decoder and source. */
export function formatLoader(
  results: readonly LoaderResult[],
  cores: number,
  trainerClipsPerSecond: number,
): string {
  const rows = results.map(({ name, source, clips, seconds, clipsPerSecond, cores: used, waited }) => [
    ...[source, name, clipsPerSecond.toFixed(1)],
    used === undefined ? '' : `${((100 * used) / cores).toFixed(0)} %`,
    used === undefined ? '' : `${((1000 * used) / clipsPerSecond).toFixed(0)} ms`,
    used === undefined ? '' : ((MANY_CORES * clipsPerSecond) / used).toFixed(0),
    `${(100 * waited).toFixed(0)} %`,
    `${clips} in ${seconds.toFixed(1)} s`,
  ]);
  const headings = [
    ...['source', 'decoder', 'clips/s', `of ${cores} cores`, 'processor time a clip'],
    `clips/s of ${MANY_CORES} such cores, on paper`,
    ...[`waits at ${trainerClipsPerSecond} clips/s`, 'clips'],
  ];
  return textTable([headings, ...rows], new Set([2, 3, 4, 5, 6, 7]));
}
