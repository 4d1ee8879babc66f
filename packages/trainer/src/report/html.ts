import { escapeMarkup } from './markup.js';

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; font-size: 0.85rem; margin: 0.5rem 0 1rem; }
th, td { text-align: left; padding: 0.15rem 0.9rem 0.15rem 0; border-bottom: 1px solid #e5e5e5; vertical-align: top; }
td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
figure { margin: 0.5rem 0 1.5rem; } svg { max-width: 100%; height: auto; }
`;

/** A table of plain text. */
export interface ReportTable {
  readonly head?: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A part of a report: a heading, and under it paragraphs, tables and figures in this order. */
export interface ReportSection {
  readonly title: string;
  /** Plain text. */
  readonly paragraphs?: readonly string[];
  readonly tables?: readonly ReportTable[];
  /** SVG elements, as the charts give them. */
  readonly figures?: readonly string[];
}

/** A table; everything in it is escaped. */
export function htmlTable({ head, rows }: ReportTable): string {
  const cells = (row: readonly string[], tag: string): string =>
    `<tr>${row.map((cell) => `<${tag}>${escapeMarkup(cell)}</${tag}>`).join('')}</tr>`;
  return `<table>${head ? cells(head, 'th') : ''}${rows.map((row) => cells(row, 'td')).join('')}</table>`;
}

function htmlSection({ title, paragraphs = [], tables = [], figures = [] }: ReportSection): string {
  return [
    `<h2>${escapeMarkup(title)}</h2>`,
    ...paragraphs.map((text) => `<p>${escapeMarkup(text)}</p>`),
    ...tables.map(htmlTable),
    ...figures.map((svg) => `<figure>${svg}</figure>`),
  ].join('\n');
}

/** A page that needs nothing else: its style is in it, and so are its figures. */
export function htmlPage(title: string, sections: readonly ReportSection[]): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${escapeMarkup(title)}</title><style>${STYLE}</style></head>
<body>
<h1>${escapeMarkup(title)}</h1>
${sections.map(htmlSection).join('\n')}
</body>
</html>
`;
}

/** Named settings as rows of a table; those that are not set are not shown. */
export function settingRows(values: Readonly<Record<string, unknown>>): string[][] {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]);
}
