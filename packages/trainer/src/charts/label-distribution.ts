import { barChart } from './bar-chart.js';

/** Labels of one part of a data set. */
export interface LabelGroup {
  /** Such as `train`. */
  readonly name: string;
  /** [K]: how many videos of each class. */
  readonly counts: readonly number[];
}

export interface LabelDistributionOptions {
  readonly title: string;
  readonly classNames: readonly string[];
  readonly groups: readonly LabelGroup[];
}

/**
 * How many videos of each class there are: a bar for each group, with the count and its share of the group. A
 * stand-alone SVG document.
 */
export function labelDistributionChart({ title, classNames, groups }: LabelDistributionOptions): string {
  const series = groups.map(({ name, counts }) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    const share = (count: number) => (total > 0 ? ((100 * count) / total).toFixed(1) : '0.0');
    return {
      name,
      legend: `${name}: ${total}`,
      values: counts,
      texts: counts.map((count) => `${count} (${share(count)} %)`),
    };
  });
  return barChart({ title, valueLabel: 'videos', categories: classNames, series, isCount: true });
}
