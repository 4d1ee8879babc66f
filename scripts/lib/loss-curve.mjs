const LEVELS = '▁▂▃▄▅▆▇█';

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * The losses of a run, in the order of its steps.
 *
 * @param {string} log the text of the run's `log.jsonl`
 * @returns {number[]}
 */
export function lossesOf(log) {
  return log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type === 'step')
    .map(({ metrics }) => Number(metrics.loss));
}

/**
 * How far a loss fell.
 *
 * @param {number[]} losses
 * @param {number} [window] steps to average at either end
 * @returns {{ start: number, end: number }}
 */
export function lossFall(losses, window = 20) {
  return { start: mean(losses.slice(0, window)), end: mean(losses.slice(-window)) };
}

/**
 * A curve without its noise: the mean of each stretch of so many values. What is not a number is left out: the loss of
 * a step that was skipped may be none.
 *
 * @param {number[]} values
 * @param {number} window
 * @returns {number[]}
 */
export function smoothed(values, window) {
  const stretch = (end) => values.slice(end - window, end).filter(Number.isFinite);
  return values.slice(window - 1).map((_, i) => mean(stretch(i + window)));
}

/**
 * Where two curves of one length are furthest apart, in parts of the first.
 *
 * @param {number[]} expected
 * @param {number[]} actual
 * @returns {{ gap: number, at: number }} `gap` is NaN where either is not a number
 */
export function largestGap(expected, actual) {
  const gaps = expected.map((value, i) => Math.abs(actual[i] / value - 1));
  const missing = gaps.findIndex(Number.isNaN);
  const at = missing < 0 ? gaps.indexOf(Math.max(...gaps)) : missing;
  return { gap: gaps[at], at };
}

/**
 * A curve in one line of text: each character is the mean of an equal share of the values, between the least
 * mean and the greatest.
 *
 * @param {number[]} values
 * @param {number} [width] characters at most
 */
export function sparkline(values, width = 60) {
  const count = Math.min(width, values.length);
  const edge = (i) => Math.floor((i * values.length) / count);
  const means = Array.from({ length: count }, (_, i) => mean(values.slice(edge(i), edge(i + 1))));
  const [low, high] = [Math.min(...means), Math.max(...means)];
  const level = (value) =>
    high > low ? Math.round(((value - low) / (high - low)) * (LEVELS.length - 1)) : 0;
  return means.map((value) => LEVELS[level(value)]).join('');
}
