import * as Plot from '@observablehq/plot';
import { argmax } from '../evaluation/views.js';
import { classColour } from './palette.js';
import { legendPanel, plotPanel, svgDocument } from './svg.js';

/** What a classifier says of a window of a video. */
export interface TimelinePoint {
  /** The middle of the window, in seconds from the beginning of the video. */
  readonly seconds: number;
  /** [K], sum 1. */
  readonly probabilities: readonly number[];
}

export interface TimelineOptions {
  readonly title: string;
  readonly classNames: readonly string[];
  /** In the order of time. */
  readonly points: readonly TimelinePoint[];
  /** Length of the video in seconds; where it is not known, half a distance between points after the last of them. */
  readonly durationSeconds?: number;
}

const WIDTH_PX = 960;
const MARGIN_LEFT_PX = 88;

/** A stretch of time in which one class is the most probable. */
interface Span {
  readonly from: number;
  to: number;
  readonly predicted: number;
}

/** Where the picture ends. */
function endSeconds(points: readonly TimelinePoint[], durationSeconds?: number): number {
  const [before, last] = [points.at(-2), points.at(-1)];
  if (!last) return durationSeconds ?? 1;
  const half = before ? (last.seconds - before.seconds) / 2 : last.seconds;
  return Math.max(durationSeconds ?? last.seconds + half, last.seconds) || 1;
}

/** The time of a point goes halfway to its neighbours; neighbours of one class are one span. */
function predictedSpans(points: readonly TimelinePoint[], end: number): Span[] {
  const spans: Span[] = [];
  for (const [i, { seconds, probabilities }] of points.entries()) {
    const next = points[i + 1];
    const to = next ? (seconds + next.seconds) / 2 : end;
    const predicted = argmax(probabilities);
    const last = spans.at(-1);
    if (last?.predicted === predicted) last.to = to;
    else spans.push({ from: last?.to ?? 0, to, predicted });
  }
  return spans;
}

/**
 * Probabilities of the classes along a video, stacked in the order of the classes, above a strip of the most probable
 * class. Between the middles of windows probabilities are interpolated, before the first and after the last they stay
 * the same. A stand-alone SVG document.
 */
export function timelineChart({ title, classNames, points, durationSeconds }: TimelineOptions): string {
  const end = endSeconds(points, durationSeconds);
  const times = [
    { seconds: 0, probabilities: points[0]?.probabilities ?? [] },
    ...points,
    { seconds: end, probabilities: points.at(-1)?.probabilities ?? [] },
  ];
  const layers = times.flatMap(({ seconds, probabilities }) => {
    let below = 0;
    return classNames.map((_, label) => {
      const bottom = below;
      below += probabilities[label] ?? 0;
      return { seconds, label, bottom, top: below };
    });
  });
  const plot = plotPanel({
    width: WIDTH_PX,
    height: 340,
    marginLeft: MARGIN_LEFT_PX,
    marginRight: 28,
    marginTop: 30,
    marginBottom: 46,
    x: { domain: [0, end], label: 'time (s)', labelAnchor: 'center', labelArrow: 'none' },
    y: {
      domain: [-0.16, 1],
      label: 'probability',
      labelArrow: 'none',
      labelOffset: MARGIN_LEFT_PX - 16,
      ticks: [0, 0.25, 0.5, 0.75, 1],
      tickFormat: '.2f',
    },
    marks: [
      Plot.areaY(layers, {
        x: 'seconds',
        y1: 'bottom',
        y2: 'top',
        z: 'label',
        fill: ({ label }: { label: number }) => classColour(label),
        stroke: '#ffffff',
        strokeWidth: 0.5,
      }),
      Plot.rect(predictedSpans(points, end), {
        x1: 'from',
        x2: 'to',
        y1: -0.13,
        y2: -0.04,
        fill: ({ predicted }: { predicted: number }) => classColour(predicted),
      }),
      Plot.text(['predicted'], { x: 0, y: -0.085, text: ['predicted'], textAnchor: 'end', dx: -8 }),
    ],
  });
  const legend = legendPanel(
    classNames.map((name, k) => ({ name, colour: classColour(k), symbol: 'square' })),
    WIDTH_PX,
  );
  return svgDocument(title, WIDTH_PX, [legend, plot]);
}
