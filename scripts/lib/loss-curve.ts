const LEVELS = '▁▂▃▄▅▆▇█';

export const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

interface LogRecord {
  readonly type: string;
  /** JSON has no word for what is not a number: that is a text. */
  readonly metrics?: Readonly<Record<string, number | string>>;
}

/**
 * The losses of a run, in the order of its steps.
 *
 * @param log the text of the run's `log.jsonl`
 */
export function lossesOf(log: string): number[] {
  return log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogRecord)
    .filter(({ type }) => type === 'step')
    .map(({ metrics }) => Number(metrics?.loss));
}

/**
 * How far a loss fell.
 *
 * @param window steps to average at either end
 */
export function lossFall(losses: readonly number[], window = 20): { start: number; end: number } {
  return { start: mean(losses.slice(0, window)), end: mean(losses.slice(-window)) };
}

/**
 * A curve without its noise: the mean of each stretch of so many values. What is not a number is left out: the loss of
 * a step that was skipped may be none.
 */
export function smoothed(values: readonly number[], window: number): number[] {
  const stretch = (end: number) => values.slice(end - window, end).filter(Number.isFinite);
  return values.slice(window - 1).map((_, i) => mean(stretch(i + window)));
}

/**
 * Where two curves of one length are furthest apart, in parts of the first.
 *
 * @returns `gap` is NaN where either is not a number
 */
export function largestGap(
  expected: readonly number[],
  actual: readonly number[],
): { gap: number; at: number } {
  const gaps = expected.map((value, i) => Math.abs((actual[i] ?? NaN) / value - 1));
  const missing = gaps.findIndex(Number.isNaN);
  const at = missing < 0 ? gaps.indexOf(Math.max(...gaps)) : missing;
  return { gap: gaps[at] ?? NaN, at };
}

/**
 * A curve in one line of text: each character is the mean of an equal share of the values, between the least
 * mean and the greatest.
 *
 * @param width characters at most
 */
export function sparkline(values: readonly number[], width = 60): string {
  const count = Math.min(width, values.length);
  const edge = (i: number) => Math.floor((i * values.length) / count);
  const means = Array.from({ length: count }, (_, i) => mean(values.slice(edge(i), edge(i + 1))));
  const [low, high] = [Math.min(...means), Math.max(...means)];
  const level = (value: number) =>
    high > low ? Math.round(((value - low) / (high - low)) * (LEVELS.length - 1)) : 0;
  return means.map((value) => LEVELS[level(value)]).join('');
}
