import type { Variant } from '../runtime/variants.js';

/**
 * What a test run is to cover: `daily`, what a change must pass within minutes, or `rest`, what that leaves out and
 * nothing else (`npm run test:full`).
 */
export type TestLevel = 'daily' | 'rest';

/**
 * @param asked the value of `TUBELET_TEST`; undefined is `daily`
 * @throws RangeError for a level that does not exist
 */
export function parseTestLevel(asked: string | undefined): TestLevel {
  if (asked === undefined || asked === 'daily') return 'daily';
  if (asked === 'rest') return 'rest';
  throw new RangeError(`TUBELET_TEST is "${asked}": set it to daily or rest, or leave it out for daily`);
}

export const testLevel = parseTestLevel(process.env['TUBELET_TEST']);

/** Whether cases that are too slow for every day are to be tested. */
export const isFullTest = testLevel === 'rest';

/**
 * Whether a variant is made for GPUs and yet runs on the software driver of the tests, which takes seconds to compile
 * each of its programs: daily it is tested on few cases.
 */
export const isForGpus = ({ needs, prefers }: Variant): boolean =>
  needs.length === 0 && [prefers].flat().includes('gpu');

/** Which of a sequence of random draws belong to a level: the first `daily` ones, or five times as many after them. */
export function drawsOfLevel(
  daily: number,
  level = testLevel,
): { readonly from: number; readonly to: number } {
  return level === 'daily' ? { from: 0, to: daily } : { from: daily, to: 6 * daily };
}
