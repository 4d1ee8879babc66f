import { formatTable } from '../shared/text-table.js';
import type { LoaderResult } from './measure-loader.js';

/** The table: one line for each decoder. */
export function formatLoader(results: readonly LoaderResult[], cores: number): string {
  const rows = results.map(({ name, clips, seconds, clipsPerSecond, cores: used }) => [
    name,
    clipsPerSecond.toFixed(1),
    used === undefined ? '' : `${((100 * used) / cores).toFixed(0)} %`,
    used === undefined ? '' : `${((1000 * used) / clipsPerSecond).toFixed(0)} ms`,
    `${clips} in ${seconds.toFixed(1)} s`,
  ]);
  const headings = ['decoder', 'clips/s', `of ${cores} cores`, 'processor time a clip', 'clips'];
  return formatTable(headings, rows, new Set([1, 2, 3, 4]));
}
