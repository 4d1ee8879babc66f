import { lineChart } from '../charts/line-chart.js';
import { writeTextFile } from '../formats/file-write.js';
import { htmlPage, settingRows, type ReportSection, type ReportTable } from './html.js';
import { SKIPPED_STEPS } from '../program/meters.js';
import { formatDuration } from '../program/progress.js';
import {
  readReportData,
  thinned,
  VALIDATION_PREFIX,
  type EpochMean,
  type ReportData,
  type Series,
} from './report-data.js';
import { logPath, reportPath, type RunConfig } from '../run/run-folder.js';

const CHART_POINTS = 600;
/** The last events shown: a run of months has thousands of checkpoints. */
const EVENTS_SHOWN = 50;

function number(value: number): string {
  return Number(value.toPrecision(6)).toString();
}

/** Curves over completed steps. */
function chart(label: string, series: readonly Series[]): string {
  const curves = series.map((one) => {
    const { name, steps, values } = thinned(one, CHART_POINTS);
    return { name, x: steps, y: values };
  });
  return lineChart({ title: label, xLabel: 'step', yLabel: label, curves });
}

/**
 * Curves with the same first part, such as `loss` and `loss/motion`, share a chart; so do a metric and its validation,
 * such as `loss` and `validation/loss`.
 */
function charts(series: readonly Series[]): string[] {
  const first = (name: string): string => name.split('/')[0] ?? name;
  const trained = new Set(series.map(({ name }) => first(name)));
  const groups = new Map<string, Series[]>();
  for (const one of series) {
    const metric = one.name.startsWith(VALIDATION_PREFIX)
      ? one.name.slice(VALIDATION_PREFIX.length)
      : one.name;
    const group = trained.has(first(metric)) ? first(metric) : first(one.name);
    groups.set(group, [...(groups.get(group) ?? []), one]);
  }
  return [...groups].map(([group, members]) => chart(group, members));
}

function epochTable(epochs: readonly EpochMean[]): ReportTable {
  const names = [...new Set(epochs.flatMap(({ means }) => [...means.keys()]))];
  const rows = epochs.map(({ epoch, steps, means }) => [
    String(epoch + 1),
    String(steps),
    ...names.map((name) => {
      const mean = means.get(name);
      return mean === undefined ? '' : number(mean);
    }),
  ]);
  return { head: ['epoch', 'steps', ...names], rows };
}

/** Where a validated metric was lowest, highest and last: which of them is good depends on the metric. */
function validationRow({ name, steps, values }: Series): string[] {
  const at = (better: (a: number, b: number) => boolean): string => {
    const best = values.reduce((found, value, i) => (better(value, values[found] ?? value) ? i : found), 0);
    return `${number(values[best] ?? NaN)} at step ${steps[best]}`;
  };
  const [lowest, highest] = [at((a, b) => a < b), at((a, b) => a > b)];
  return [name, `lowest ${lowest}, highest ${highest}, ${number(values.at(-1) ?? NaN)} at the last`];
}

function summary(data: ReportData, config: RunConfig): ReportTable {
  const total = data.totalSteps === null ? '' : ` of ${data.totalSteps}`;
  const rows = [
    ['begun', config.startedAt],
    ['steps', `${data.completedSteps}${total}`],
    ['time in steps', formatDuration(data.stepsDurationMs)],
    ['command', config.commandLine.join(' ')],
  ];
  for (const { name, values } of data.waits.filter(({ values }) => values.length > 0)) {
    const waitedMs = values.reduce((sum, value) => sum + value, 0);
    const percent = Math.round((100 * waitedMs) / Math.max(data.stepsDurationMs, 1));
    rows.push([`waited ${name}`, `${formatDuration(waitedMs)} (${percent} %)`]);
  }
  for (const { name, values } of data.series.filter((one) => one.name.startsWith('loss'))) {
    rows.push([
      name,
      `${number(values[0] ?? NaN)} at the first step, ${number(values.at(-1) ?? NaN)} at the last`,
    ]);
  }
  rows.push(...data.series.filter(({ name }) => name.startsWith(VALIDATION_PREFIX)).map(validationRow));
  const skipped = data.series.find(({ name }) => name === SKIPPED_STEPS)?.values.at(-1);
  if (skipped !== undefined) rows.push([`${SKIPPED_STEPS}, whose gradients overflowed`, String(skipped)]);
  if (data.nonFiniteValues > 0) rows.push(['values that were not finite', String(data.nonFiniteValues)]);
  return { rows };
}

/**
 * The report of a run as one HTML page that needs nothing else.
 *
 * @param sections what else there is to say; they come after the curves
 */
export function renderReport(
  data: ReportData,
  config: RunConfig,
  sections: readonly ReportSection[] = [],
): string {
  const speed = data.clipsPerSecond;
  const hidden = data.events.length - EVENTS_SHOWN;
  const events = data.events.slice(-EVENTS_SHOWN).map(({ type, step, text }) => [String(step), type, text]);
  return htmlPage(config.program, [
    { title: 'Run', tables: [summary(data, config)] },
    {
      title: 'Curves',
      figures: [
        ...charts(data.series),
        ...(speed.steps.length > 0 ? [chart('clips per second', [speed])] : []),
        ...(data.waits[0].steps.length > 0 ? [chart('milliseconds waited', data.waits)] : []),
      ],
    },
    ...sections,
    { title: 'Epochs', tables: [epochTable(data.epochs)] },
    { title: 'Settings', tables: [{ rows: settingRows(config.settings) }] },
    { title: 'Versions', tables: [{ rows: settingRows(config.versions) }] },
    { title: 'Adapter', tables: [{ rows: settingRows(config.adapter) }] },
    {
      title: 'Events',
      paragraphs: hidden > 0 ? [`The last ${EVENTS_SHOWN}; ${hidden} earlier ones are in the log.`] : [],
      tables: [{ head: ['step', 'event', ''], rows: events }],
    },
  ]);
}

/**
 * Writes `report.html` of a run from its log.
 *
 * @param sections what else there is to say
 * @returns its path
 * @throws UserError when the log is missing or damaged, or the report cannot be written
 */
export async function writeReport(
  directory: string,
  config: RunConfig,
  sections: readonly ReportSection[] = [],
): Promise<string> {
  const path = reportPath(directory);
  await writeTextFile(path, renderReport(await readReportData(logPath(directory)), config, sections));
  return path;
}
