import * as Plot from '@observablehq/plot';
import { classColour } from './palette.js';
import { FONT_SIZE_PX, legendPanel, plotPanel, svgDocument, widestPx } from './svg.js';

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

const BARS_WIDTH_PX = 580;
const BAR_HEIGHT_PX = 18;

/**
 * How many videos of each class there are: a bar for each group, with the count and its share of the group. A
 * stand-alone SVG document.
 */
export function labelDistributionChart({ title, classNames, groups }: LabelDistributionOptions): string {
  const bars = groups.flatMap(({ name, counts }) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    return counts.map((count, label) => ({
      label,
      group: name,
      count,
      text: `${count} (${total > 0 ? ((100 * count) / total).toFixed(1) : '0.0'} %)`,
    }));
  });
  const marginLeft = widestPx(classNames) + 20;
  const marginRight = widestPx(bars.map(({ text }) => text)) + 16;
  const width = marginLeft + BARS_WIDTH_PX + marginRight;
  const height = classNames.length * (groups.length * BAR_HEIGHT_PX + 12) + 56;
  const most = Math.max(1, ...bars.map(({ count }) => count));
  const plot = plotPanel({
    width,
    height,
    marginLeft,
    marginRight,
    marginTop: 8,
    marginBottom: 44,
    x: {
      domain: [0, most],
      label: 'videos',
      labelAnchor: 'center',
      labelArrow: 'none',
      grid: true,
      tickFormat: 'd',
      ticks: Math.min(8, most),
    },
    y: { axis: null, domain: groups.map(({ name }) => name), padding: 0.08 },
    fy: {
      domain: classNames.map((_, k) => k),
      tickFormat: (k: number) => classNames[k] ?? '',
      label: null,
      padding: 0.2,
    },
    color: { domain: groups.map(({ name }) => name), range: groups.map((_, i) => classColour(i)) },
    style: { fontSize: `${FONT_SIZE_PX}px` },
    marks: [
      Plot.axisFy({ anchor: 'left', label: null, tickFormat: (k: number) => classNames[k] ?? '' }),
      Plot.barX(bars, { x: 'count', y: 'group', fy: 'label', fill: 'group' }),
      Plot.text(bars, { x: 'count', y: 'group', fy: 'label', text: 'text', textAnchor: 'start', dx: 6 }),
      Plot.ruleX([0]),
    ],
  });
  const legend = legendPanel(
    groups.map(({ name, counts }, i) => ({
      name: `${name}: ${counts.reduce((sum, count) => sum + count, 0)}`,
      colour: classColour(i),
      symbol: 'square',
    })),
    width,
  );
  return svgDocument(title, width, [legend, plot]);
}
