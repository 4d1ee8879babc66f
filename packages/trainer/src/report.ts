import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { writeTextFile } from './file-write.js';
import { formatDuration } from './progress.js';
import { readReportData, thinned, type EpochMean, type ReportData, type Series } from './report-data.js';
import { logPath, reportPath, type RunConfig } from './run-folder.js';

const CHART_POINTS = 600;
/** The last events shown: a run of months has thousands of checkpoints. */
const EVENTS_SHOWN = 50;

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; font-size: 0.85rem; }
th, td { text-align: left; padding: 0.15rem 0.9rem 0.15rem 0; border-bottom: 1px solid #e5e5e5; vertical-align: top; }
td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
figure { margin: 0.5rem 0 1.5rem; } svg { max-width: 100%; height: auto; }
`;

function escape(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => names[character] ?? character);
}

function table(rows: readonly (readonly string[])[], head?: readonly string[]): string {
  const cells = (row: readonly string[], tag: string): string =>
    `<tr>${row.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join('')}</tr>`;
  const headRow = head ? cells(head, 'th') : '';
  return `<table>${headRow}${rows.map((row) => cells(row, 'td')).join('')}</table>`;
}

function number(value: number): string {
  return Number(value.toPrecision(6)).toString();
}

/** Curves over completed steps as an SVG element, with a legend where there are several. */
function chart(label: string, series: readonly Series[]): string {
  const points = series.flatMap((one) => {
    const { steps, values } = thinned(one, CHART_POINTS);
    return steps.map((step, i) => ({ step, value: values[i] ?? 0, name: one.name }));
  });
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const figure = Plot.plot({
    document,
    width: 900,
    height: 300,
    marginLeft: 70,
    grid: true,
    x: { label: 'step' },
    y: { label, ...(points.every(({ value }) => Math.abs(value) < 1e-2) ? { tickFormat: '.1e' } : {}) },
    color: { legend: series.length > 1, scheme: 'dark2', domain: series.map(({ name }) => name) },
    marks: [Plot.lineY(points, { x: 'step', y: 'value', stroke: 'name' })],
  });
  return `<figure>${figure.outerHTML}</figure>`;
}

/** `loss`, `loss/appearance` and `loss/motion` share a chart; so do others with the same first part. */
function charts(series: readonly Series[]): string {
  const groups = new Map<string, Series[]>();
  for (const one of series) {
    const group = one.name.split('/')[0] ?? one.name;
    groups.set(group, [...(groups.get(group) ?? []), one]);
  }
  return [...groups]
    .map(([group, members]) => `<h2>${escape(group)}</h2>${chart(group, members)}`)
    .join('\n');
}

function epochTable(epochs: readonly EpochMean[]): string {
  const names = [...new Set(epochs.flatMap(({ means }) => [...means.keys()]))];
  const rows = epochs.map(({ epoch, steps, means }) => [
    String(epoch + 1),
    String(steps),
    ...names.map((name) => {
      const mean = means.get(name);
      return mean === undefined ? '' : number(mean);
    }),
  ]);
  return table(rows, ['epoch', 'steps', ...names]);
}

function settingRows(values: Readonly<Record<string, unknown>>): string[][] {
  return Object.entries(values).map(([key, value]) => [
    key,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
}

function summary(data: ReportData, config: RunConfig): string {
  const total = data.totalSteps === null ? '' : ` of ${data.totalSteps}`;
  const rows = [
    ['begun', config.startedAt],
    ['steps', `${data.completedSteps}${total}`],
    ['time in steps', formatDuration(data.stepsDurationMs)],
    ['command', config.commandLine.join(' ')],
  ];
  for (const { name, values } of data.series.filter((one) => one.name.startsWith('loss'))) {
    rows.push([
      name,
      `${number(values[0] ?? NaN)} at the first step, ${number(values.at(-1) ?? NaN)} at the last`,
    ]);
  }
  if (data.nonFiniteValues > 0) rows.push(['values that were not finite', String(data.nonFiniteValues)]);
  return table(rows);
}

/** The report as one HTML page that needs nothing else. */
export function renderReport(data: ReportData, config: RunConfig): string {
  const speed = data.clipsPerSecond;
  const hidden = data.events.length - EVENTS_SHOWN;
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${escape(config.program)} run</title><style>${STYLE}</style></head>
<body>
<h1>${escape(config.program)}</h1>
${summary(data, config)}
${charts(data.series)}
${speed.steps.length > 0 ? `<h2>speed</h2>${chart('clips per second', [speed])}` : ''}
<h2>Epochs</h2>
${epochTable(data.epochs)}
<h2>Settings</h2>
${table(settingRows(config.settings))}
<h2>Versions</h2>
${table(settingRows(config.versions))}
<h2>Adapter</h2>
${table(settingRows(config.adapter))}
<h2>Events</h2>
${hidden > 0 ? `<p>The last ${EVENTS_SHOWN}; ${hidden} earlier ones are in the log.</p>` : ''}
${table(
  data.events.slice(-EVENTS_SHOWN).map(({ type, step, text }) => [String(step), type, text]),
  ['step', 'event', ''],
)}
</body>
</html>
`;
}

/**
 * Writes `report.html` of a run from its log.
 *
 * @returns its path
 * @throws {UserError} when the log is missing or damaged, or the report cannot be written
 */
export async function writeReport(directory: string, config: RunConfig): Promise<string> {
  const path = reportPath(directory);
  await writeTextFile(path, renderReport(await readReportData(logPath(directory)), config));
  return path;
}
