import * as Plot from '@observablehq/plot';
import { classColour } from './palette.js';
import { FONT_SIZE_PX, legendPanel, plotPanel, svgDocument, widestPx } from './svg.js';

/** Bars of one colour, one in each category. */
export interface BarSeries {
  readonly name: string;
  /** In the legend; default: the name. */
  readonly legend?: string;
  /** [categories]; NaN where there is none. */
  readonly values: readonly number[];
  /** [categories]: beside each bar. */
  readonly texts: readonly string[];
}

export interface BarChartOptions {
  readonly title: string;
  /** What the bars' length means, under the axis. */
  readonly valueLabel: string;
  readonly categories: readonly string[];
  readonly series: readonly BarSeries[];
  /** Whether only whole numbers occur. */
  readonly isCount?: boolean;
}

const BARS_WIDTH_PX = 580;
const BAR_HEIGHT_PX = 18;

/** Horizontal bars: a group for each category, in it a bar of each series. A stand-alone SVG document. */
export function barChart({ title, valueLabel, categories, series, isCount }: BarChartOptions): string {
  const bars = series.flatMap(({ name, values, texts }) =>
    values.flatMap((value, category) =>
      Number.isNaN(value) ? [] : [{ category, name, value, text: texts[category] ?? '' }],
    ),
  );
  const marginLeft = widestPx(categories) + 20;
  const marginRight = widestPx(bars.map(({ text }) => text)) + 16;
  const width = marginLeft + BARS_WIDTH_PX + marginRight;
  const height = categories.length * (series.length * BAR_HEIGHT_PX + 12) + 56;
  const values = bars.map(({ value }) => value);
  const most = isCount ? Math.max(1, ...values) : Math.max(...values, Number.MIN_VALUE);
  const colours = series.map((_, i) => classColour(i));
  const plot = plotPanel({
    width,
    height,
    marginLeft,
    marginRight,
    marginTop: 8,
    marginBottom: 44,
    x: {
      domain: [0, most],
      label: valueLabel,
      labelAnchor: 'center',
      labelArrow: 'none',
      grid: true,
      ...(isCount ? { tickFormat: 'd', ticks: Math.min(8, most) } : { ticks: 8 }),
    },
    y: { axis: null, domain: series.map(({ name }) => name), padding: 0.08 },
    fy: {
      domain: categories.map((_, k) => k),
      tickFormat: (k: number) => categories[k] ?? '',
      label: null,
      padding: 0.2,
    },
    color: { domain: series.map(({ name }) => name), range: colours },
    style: { fontSize: `${FONT_SIZE_PX}px` },
    marks: [
      Plot.axisFy({ anchor: 'left', label: null, tickFormat: (k: number) => categories[k] ?? '' }),
      Plot.barX(bars, { x: 'value', y: 'name', fy: 'category', fill: 'name' }),
      Plot.text(bars, { x: 'value', y: 'name', fy: 'category', text: 'text', textAnchor: 'start', dx: 6 }),
      Plot.ruleX([0]),
    ],
  });
  const legend = legendPanel(
    series.map(({ name, legend = name }, i) => ({ name: legend, colour: colours[i]!, symbol: 'square' })),
    width,
  );
  return svgDocument(title, width, [legend, plot]);
}
