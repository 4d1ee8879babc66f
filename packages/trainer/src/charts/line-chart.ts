import * as Plot from '@observablehq/plot';
import { classColour } from './palette.js';
import { legendPanel, plotPanel, svgDocument, type Panel } from './svg.js';

/** A curve. */
export interface Curve {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
}

export interface LineChartOptions {
  readonly title: string;
  /** What the axes show. */
  readonly xLabel: string;
  readonly yLabel: string;
  readonly curves: readonly Curve[];
}

const WIDTH_PX = 900;
const MARGIN_LEFT_PX = 76;
/** With so few points they are marked: a curve of one point would not be seen. */
const MARKED_POINTS = 40;

/** Curves over one axis, with a legend where there are several: a stand-alone SVG document. */
export function lineChart({ title, xLabel, yLabel, curves }: LineChartOptions): string {
  const values = curves.flatMap(({ y }) => y).filter(Number.isFinite);
  const tiny = values.every((value) => Math.abs(value) < 1e-2);
  const places = curves.flatMap(({ x }) => x);
  // Whole numbers, such as steps, have no ticks between them.
  const whole = places.every(Number.isInteger);
  const range =
    places.reduce((most, at) => Math.max(most, at), -Infinity) -
    places.reduce((least, at) => Math.min(least, at), Infinity);
  const marks = curves.flatMap(({ x, y }, i) => {
    const points = x.map((at, j) => ({ x: at, y: y[j] ?? NaN }));
    const line = Plot.lineY(points, { x: 'x', y: 'y', stroke: classColour(i), strokeWidth: 1.8 });
    if (points.length > MARKED_POINTS) return line;
    return [line, Plot.dot(points, { x: 'x', y: 'y', r: 2.5, fill: classColour(i) })];
  });
  const plot = plotPanel({
    width: WIDTH_PX,
    height: 300,
    marginLeft: MARGIN_LEFT_PX,
    marginRight: 24,
    marginTop: 28,
    marginBottom: 44,
    grid: true,
    x: {
      label: xLabel,
      labelAnchor: 'center',
      labelArrow: 'none',
      ...(whole && range < 10 ? { ticks: Math.max(1, range), tickFormat: 'd' } : {}),
    },
    y: {
      label: yLabel,
      labelArrow: 'none',
      labelOffset: MARGIN_LEFT_PX - 16,
      ...(tiny ? { tickFormat: '.1e' } : {}),
    },
    marks,
  });
  const legend: Panel[] =
    curves.length > 1
      ? [
          legendPanel(
            curves.map(({ name }, i) => ({ name, colour: classColour(i), symbol: 'line' })),
            WIDTH_PX,
          ),
        ]
      : [];
  return svgDocument(title, WIDTH_PX, [...legend, plot]);
}
