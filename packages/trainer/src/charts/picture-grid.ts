import { svgDocument } from './svg.js';

const GAP_PX = 12;

/** The size that a document of this folder states. */
function sizeOf(svg: string): { width: number; height: number } {
  const [, width, height] = /^<svg [^>]*?width="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? [];
  if (width === undefined) throw new RangeError(`a picture of a grid states no size: ${svg.slice(0, 80)}`);
  return { width: Number(width), height: Number(height) };
}

/** A document inside of another, without a ground of its own. */
function placed(svg: string, left: number): string {
  return svg
    .replace('<svg ', `<svg x="${left}" y="0" `)
    .replace('<rect width="100%" height="100%" fill="#ffffff"/>', '');
}

/**
 * Charts beside each other in one picture, row by row, each under its own title. A stand-alone SVG document.
 *
 * @param charts documents that the other functions of this folder give
 * @param columns charts in a row; default: as many as make the picture about as wide as high
 */
export function pictureGrid(
  title: string,
  charts: readonly string[],
  columns = Math.ceil(Math.sqrt(charts.length)),
): string {
  const sizes = charts.map(sizeOf);
  const widths = Array.from({ length: Math.min(columns, charts.length) }, (_, column) =>
    Math.max(...sizes.filter((_, i) => i % columns === column).map(({ width }) => width)),
  );
  const lefts = widths.map((_, column) =>
    widths.slice(0, column).reduce((sum, one) => sum + one + GAP_PX, 0),
  );
  const rows = Array.from({ length: Math.ceil(charts.length / columns) }, (_, row) => {
    const inRow = (i: number) => Math.floor(i / columns) === row;
    const content = charts.map((chart, i) => (inRow(i) ? placed(chart, lefts[i % columns]!) : '')).join('');
    const heightPx = GAP_PX + Math.max(...sizes.filter((_, i) => inRow(i)).map(({ height }) => height));
    return { content, heightPx };
  });
  return svgDocument(title, lefts.at(-1)! + widths.at(-1)!, rows);
}
