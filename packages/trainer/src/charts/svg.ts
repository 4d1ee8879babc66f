import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { escapeMarkup } from '../report/markup.js';

/** Verdana and DejaVu Sans have nearly the same widths. */
export const FONT_FAMILY = "'DejaVu Sans', Verdana, sans-serif";
export const FONT_SIZE_PX = 12;
const TITLE_SIZE_PX = 15;
const TITLE_HEIGHT_PX = 34;
const TEXT_COLOUR = '#222222';
const WIDE = /[mwMW%@—]/;
const NARROW = /[ijlI.,:;'|!()[\]ft ]/;

/** A part of a picture: SVG elements in a box of their own. */
export interface Panel {
  readonly content: string;
  readonly heightPx: number;
}

/** About how wide a text is in DejaVu Sans: enough to leave room for it, a little more than it takes. */
export function textWidthPx(text: string, sizePx = FONT_SIZE_PX): number {
  const ems = Array.from(text, (character) => {
    if (WIDE.test(character)) return 1;
    if (NARROW.test(character)) return 0.43;
    return /[A-Z]/.test(character) ? 0.75 : 0.645;
  });
  return Math.ceil(sizePx * ems.reduce((sum, em) => sum + em, 0));
}

/** The width of the widest text. */
export function widestPx(texts: readonly string[], sizePx = FONT_SIZE_PX): number {
  return Math.max(0, ...texts.map((text) => textWidthPx(text, sizePx)));
}

/** A plot as a panel. It must not ask for a legend: Plot makes those of HTML; {@link legendPanel} makes one of SVG. */
export function plotPanel(options: Plot.PlotOptions & { readonly height: number }): Panel {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const figure = Plot.plot({ ...options, document });
  // Its style sheet is for pages; the surrounding group has the same as attributes.
  for (const style of figure.querySelectorAll('style')) style.remove();
  return { content: figure.innerHTML, heightPx: options.height };
}

/** An entry of a legend. */
export interface LegendEntry {
  readonly name: string;
  readonly colour: string;
  readonly symbol: Plot.SymbolType | 'line';
}

/** A legend: entries beside each other, in as many rows as the width asks for. */
export function legendPanel(entries: readonly LegendEntry[], widthPx: number): Panel {
  const [left, rowHeight, markWidth, gap] = [16, 20, 22, 16];
  let x = left;
  let y = rowHeight / 2;
  const placed = entries.map((entry) => {
    const width = markWidth + textWidthPx(entry.name);
    if (x > left && x + width > widthPx - left) {
      x = left;
      y += rowHeight;
    }
    const place = { ...entry, x, y };
    x += width + gap;
    return place;
  });
  const height = y + rowHeight / 2 + 4;
  const marks = placed.map(({ name, colour, symbol, x, y }) => [
    symbol === 'line'
      ? Plot.link([0], { x1: x, x2: x + 16, y1: y, y2: y, stroke: colour, strokeWidth: 2.5 })
      : Plot.dot([0], { x: x + 8, y, r: 5, fill: colour, symbol }),
    Plot.text([name], { x: x + markWidth, y, text: [name], textAnchor: 'start', fontSize: FONT_SIZE_PX }),
  ]);
  const identity = { type: 'identity', axis: null } as const;
  return plotPanel({
    width: widthPx,
    height,
    x: identity,
    y: identity,
    r: { type: 'identity' },
    marks: marks.flat(),
  });
}

/** A picture of panels below each other, under a title: an SVG document that stands alone, on white. */
export function svgDocument(title: string, widthPx: number, panels: readonly Panel[]): string {
  let top = TITLE_HEIGHT_PX;
  const groups = panels.map(({ content, heightPx }) => {
    const group = `<g transform="translate(0,${top})">${content}</g>`;
    top += heightPx;
    return group;
  });
  const width = Math.max(widthPx, textWidthPx(title, TITLE_SIZE_PX) * 1.1 + 32);
  const heightPx = top + 6;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${heightPx}" viewBox="0 0 ${width} ${heightPx}" ` +
    `role="img" color="${TEXT_COLOUR}" fill="currentColor" font-family="${FONT_FAMILY}" ` +
    `font-size="${FONT_SIZE_PX}" text-anchor="middle">` +
    `<title>${escapeMarkup(title)}</title><rect width="100%" height="100%" fill="#ffffff"/>` +
    `<text x="16" y="22" text-anchor="start" font-size="${TITLE_SIZE_PX}" font-weight="bold">${escapeMarkup(title)}</text>` +
    `${groups.join('')}</svg>`
  );
}
