import { textTable } from '@tubelet/trainer/formats';
import { measuredOf, type ComparedResult } from './comparison.js';

const HEADINGS = ['case', 'engine', 'method', 'ms', 'spread', 'GFLOP/s', 'time / Tubelet', 'numerics'];
const NUMERIC = new Set([3, 4, 5, 6]);

/** One line a result; those that are absent say why. */
export function formatResults(results: readonly ComparedResult[]): string {
  const rows = results.map((result) => {
    const measured = measuredOf(result);
    const { case: name, engine, method, timeRatio, outcome } = result;
    if (!measured) {
      return [
        name,
        engine,
        method || '–',
        '–',
        '–',
        '–',
        '–',
        outcome.status === 'absent' ? outcome.reason : '',
      ];
    }
    const { seconds, rounds, gigaflopsPerSecond, status, error, worstOutput } = measured;
    const ratio = timeRatio === undefined ? '1' : timeRatio.toFixed(2);
    return [
      name,
      engine,
      method,
      (1000 * seconds).toFixed(2),
      `±${(50 * ((Math.max(...rounds) - Math.min(...rounds)) / seconds)).toFixed(0)} %`,
      gigaflopsPerSecond.toFixed(2),
      status === 'right' ? ratio : `(${ratio})`,
      status === 'right' ? error.toExponential(1) : `WRONG: ${error.toExponential(1)} in ${worstOutput}`,
    ];
  });
  return textTable([HEADINGS, ...rows], NUMERIC);
}
