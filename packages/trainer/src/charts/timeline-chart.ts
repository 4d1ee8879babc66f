import * as Plot from '@observablehq/plot';
import { argmax } from '../evaluation/views.js';
import { classColour } from './palette.js';
import { plotPanel, svgDocument, widestPx } from './svg.js';

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
  /** Length of a window, which the axis then tells. */
  readonly windowSeconds?: number;
  /** Length of the video in seconds; where it is not known, half a distance between points after the last of them. */
  readonly durationSeconds?: number;
}

const WIDTH_PX = 960;
const ROW_PX = 42;
/** Of a row, so much is the height of probability 1. */
const FULL = 0.84;
const MARGIN_RIGHT_PX = 52;
const SMALL_PX = 10;
/** From this length on, times are minutes and seconds. */
const MINUTES_FROM_SECONDS = 120;
const MOST_TICKS = 13;
/** Distances between ticks that people count in, in seconds; longer ones are whole hours. */
const TICK_STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

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

function tickTimes(end: number): number[] {
  const step =
    TICK_STEPS.find((one) => end / one < MOST_TICKS) ?? 3600 * Math.ceil(end / 3600 / (MOST_TICKS - 1));
  return Array.from({ length: Math.floor(end / step + 1e-6) + 1 }, (_, i) => i * step);
}

function formatTime(seconds: number, inMinutes: boolean): string {
  if (!inMinutes) return String(Number(seconds.toFixed(1)));
  return `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, '0')}`;
}

function timeLabel(inMinutes: boolean, windowSeconds?: number): string {
  const unit = inMinutes ? 'time (min:s)' : 'time (s)';
  return windowSeconds === undefined ? unit : `${unit}, middles of windows of ${windowSeconds} s`;
}

/**
 * Probabilities of the classes along a video, a row for each class, and below them a strip of the most probable one.
 * Rows rather than lines over each other: eleven of those would hide each other, and a stack would move the ground from
 * under all but one. Between the middles of windows probabilities are interpolated, before the first and after the last
 * they stay the same. A stand-alone SVG document.
 */
export function timelineChart(options: TimelineOptions): string {
  const { title, classNames, points, windowSeconds, durationSeconds } = options;
  const end = endSeconds(points, durationSeconds);
  const inMinutes = end >= MINUTES_FROM_SECONDS;
  const times = [
    { seconds: 0, probabilities: points[0]?.probabilities ?? [] },
    ...points,
    { seconds: end, probabilities: points.at(-1)?.probabilities ?? [] },
  ];
  const rows = classNames.map((name, label) => ({ name, label, ground: classNames.length - label }));
  const areas = rows.flatMap(({ label, ground }) =>
    times.map(({ seconds, probabilities }) => ({
      seconds,
      label,
      ground,
      top: ground + FULL * (probabilities[label] ?? 0),
    })),
  );
  const names = [
    ...rows.map(({ name, ground }) => ({ name, y: ground + FULL / 2 })),
    { name: 'predicted', y: 0.4 },
  ];
  const topGround = classNames.length;
  const scale = [
    { text: '100 %', y: topGround + FULL },
    { text: '0 %', y: topGround },
  ];
  const marginLeft = widestPx(names.map(({ name }) => name)) + 24;
  const height = (classNames.length + 1) * ROW_PX + 54;
  const plot = plotPanel({
    width: WIDTH_PX,
    height,
    marginLeft,
    marginRight: MARGIN_RIGHT_PX,
    marginTop: 8,
    marginBottom: 46,
    x: {
      domain: [0, end],
      label: timeLabel(inMinutes, windowSeconds),
      labelAnchor: 'center',
      labelArrow: 'none',
      ticks: tickTimes(end),
      tickFormat: (seconds: number) => formatTime(seconds, inMinutes),
    },
    y: { axis: null, domain: [0, classNames.length + 1] },
    marks: [
      Plot.ruleX(tickTimes(end), { y1: 1, y2: topGround + FULL, stroke: '#eeeeee' }),
      Plot.ruleY(rows, { y: ({ ground }: { ground: number }) => ground + FULL, stroke: '#dddddd' }),
      Plot.areaY(areas, {
        x: 'seconds',
        y1: 'ground',
        y2: 'top',
        z: 'label',
        fill: ({ label }: { label: number }) => classColour(label),
      }),
      Plot.ruleY(rows, { y: 'ground', stroke: '#999999' }),
      Plot.rect(predictedSpans(points, end), {
        x1: 'from',
        x2: 'to',
        y1: 0.15,
        y2: 0.65,
        fill: ({ predicted }: { predicted: number }) => classColour(predicted),
      }),
      Plot.text(names, { x: () => 0, y: 'y', text: 'name', textAnchor: 'end', dx: -10 }),
      Plot.text(scale, {
        x: () => end,
        y: 'y',
        text: 'text',
        textAnchor: 'start',
        dx: 6,
        fontSize: SMALL_PX,
      }),
    ],
  });
  return svgDocument(title, WIDTH_PX, [plot]);
}
