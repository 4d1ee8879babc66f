import * as Plot from '@observablehq/plot';
import { classColour, classSymbol } from './palette.js';
import { legendPanel, plotPanel, svgDocument } from './svg.js';

/** A video's place in the plane. */
export interface ScatterPoint {
  readonly x: number;
  readonly y: number;
  /** Its class, 0 … K − 1; null where it is not known. */
  readonly label: number | null;
}

export interface ScatterChartOptions {
  readonly title: string;
  readonly points: readonly ScatterPoint[];
  readonly classNames: readonly string[];
}

const WIDTH_PX = 760;
const HEIGHT_PX = 640;
const UNKNOWN = { name: 'unknown', colour: '#999999', symbol: 'circle' } as const;

/**
 * Points of the plane with the colours and symbols of their classes, such as features after t-SNE or UMAP. The axes
 * mean nothing there and have no numbers. A stand-alone SVG document.
 */
export function scatterChart({ title, points, classNames }: ScatterChartOptions): string {
  const classes = classNames.map((name, k) => ({ name, colour: classColour(k), symbol: classSymbol(k) }));
  const ofClass = (label: number | null): (typeof classes)[number] =>
    (label === null ? undefined : classes[label]) ?? UNKNOWN;
  const radius = points.length > 3000 ? 1.8 : points.length > 500 ? 2.8 : 4;
  const plot = plotPanel({
    width: WIDTH_PX,
    height: HEIGHT_PX,
    margin: 16,
    inset: 12,
    x: { axis: null },
    y: { axis: null },
    marks: [
      Plot.frame({ stroke: '#cccccc' }),
      Plot.dot(points, {
        x: 'x',
        y: 'y',
        r: radius,
        fill: ({ label }: ScatterPoint) => ofClass(label).colour,
        fillOpacity: 0.8,
        symbol: ({ label }: ScatterPoint) => ofClass(label).symbol,
      }),
    ],
  });
  const unknown = points.some(({ label }) => ofClass(label) === UNKNOWN);
  return svgDocument(title, WIDTH_PX, [
    legendPanel(unknown ? [...classes, UNKNOWN] : classes, WIDTH_PX),
    plot,
  ]);
}
