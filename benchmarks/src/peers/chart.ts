import { measuredOf, type ComparedResult } from './comparison.js';
import { OWN_ENGINE } from './engines.js';

const WIDTH = 960;
const LABELS = 330;
const VALUES = 70;
const BAR = 16;
const GAP = 4;
const HEADING = 26;
const TOP = 56;
const COLOURS = { peer: '#3b6ea5', scale: '#8a8a8a', wrong: '#c0504d' } as const;

/**
 * Bars of time over Tubelet's, on a logarithmic axis that starts at 1: to the right slower than Tubelet, to the left
 * quicker. Results that are wrong are red; what has not run has no bar.
 */
export function ratioChart(results: readonly ComparedResult[], caption: string): string {
  const shown = results.filter(({ engine, timeRatio }) => engine !== OWN_ENGINE && timeRatio !== undefined);
  const ratios = shown.map(({ timeRatio }) => timeRatio!);
  const low = Math.min(0.5, ...ratios);
  const high = Math.max(2, ...ratios);
  const span = WIDTH - LABELS - VALUES;
  const x = (ratio: number) => LABELS + (span * Math.log(ratio / low)) / Math.log(high / low);
  const parts: string[] = [];
  let y = TOP;
  for (const name of new Set(shown.map((result) => result.case))) {
    parts.push(text(8, y + 16, name, 'font-weight="bold"'));
    y += HEADING;
    for (const result of shown.filter((other) => other.case === name)) {
      parts.push(bar(result, y, x));
      y += BAR + GAP;
    }
  }
  const ticks = tickRatios(low, high).map(
    (ratio) =>
      `<line x1="${fixed(x(ratio))}" x2="${fixed(x(ratio))}" y1="${TOP - 6}" y2="${y}" ` +
      `stroke="${ratio === 1 ? '#000' : '#ddd'}"/>` +
      text(x(ratio), TOP - 10, `${ratio}×`, 'text-anchor="middle" fill="#555"'),
  );
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y + 12}" ` +
    `font-family="sans-serif" font-size="12">` +
    `<rect width="100%" height="100%" fill="#fff"/>` +
    text(8, 18, 'Time over Tubelet’s (longer bars are slower)', 'font-size="14"') +
    text(8, 34, caption, 'fill="#555"') +
    [...ticks, ...parts].join('') +
    '</svg>\n'
  );
}

function bar(result: ComparedResult, y: number, x: (ratio: number) => number): string {
  const { engine, method, role, timeRatio } = result;
  const ratio = timeRatio!;
  const isWrong = measuredOf(result)?.status === 'wrong';
  const colour = isWrong ? COLOURS.wrong : role === 'scale' ? COLOURS.scale : COLOURS.peer;
  const [from, to] = [Math.min(1, ratio), Math.max(1, ratio)].map(x) as [number, number];
  const value = isWrong ? `${ratio.toFixed(2)}, wrong` : ratio.toFixed(2);
  return (
    text(LABELS - 8, y + 12, `${engine}, ${method}`, 'text-anchor="end"') +
    `<rect x="${fixed(from)}" y="${y}" width="${fixed(Math.max(1, to - from))}" height="${BAR}" fill="${colour}"/>` +
    text(to + 4, y + 12, value, `fill="${colour}"`)
  );
}

/** Powers of two within the range. */
function tickRatios(low: number, high: number): number[] {
  const first = Math.ceil(Math.log2(low));
  const last = Math.floor(Math.log2(high));
  return Array.from({ length: last - first + 1 }, (_, i) => 2 ** (first + i));
}

function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
  return `<text x="${fixed(x)}" y="${fixed(y)}" ${attributes}>${escaped}</text>`;
}

function fixed(value: number): string {
  return value.toFixed(1);
}
