import { relative } from 'node:path';
import { formatDuration } from '../program/progress.js';
import { VALIDATION_PREFIX, type Series } from '../report/report-data.js';
import type { JsonValue } from '../run/run-folder.js';
import { textTable } from '../formats/text-table.js';
import { stateOf, type RunRecord } from './find-runs.js';

const number = (value: number | undefined) =>
  value === undefined ? '–' : Number(value.toPrecision(4)).toString();
const nameOf = (directory: string) => relative('.', directory) || '.';

function seriesOf({ data }: RunRecord, name: string): Series | undefined {
  return data.series.find((one) => one.name === name);
}

/** The last values of what is minimised and, where there is one, the best validation. */
function results(run: RunRecord): [loss: string, best: string] {
  const war = seriesOf(run, `${VALIDATION_PREFIX}war`)?.values;
  return [
    number(seriesOf(run, 'loss')?.values.at(-1)),
    war ? `${(100 * Math.max(...war)).toFixed(2)} %` : '–',
  ];
}

function stepsOf({ data }: RunRecord): string {
  return data.totalSteps === null ? String(data.completedSteps) : `${data.completedSteps}/${data.totalSteps}`;
}

/** A line for each run. */
export function formatRuns(runs: readonly RunRecord[]): string {
  const head = ['run', 'program', 'begun', 'state', 'steps', 'time', 'clips/s', 'loss', 'best WAR'];
  const rows = runs.map((run) => [
    ...[nameOf(run.directory), run.config.program, run.config.startedAt.slice(0, 16), stateOf(run)],
    ...[stepsOf(run), formatDuration(run.data.stepsDurationMs)],
    ...[number(run.data.clipsPerSecond.values.at(-1)), ...results(run)],
  ]);
  return textTable([head, ...rows], new Set());
}

const shown = (value: JsonValue | undefined) =>
  typeof value === 'string' ? value : JSON.stringify(value ?? null);

/** Where a curve was lowest, highest and last. */
function curveText({ steps, values }: Series): string {
  const at = (value: number) => `${number(value)} (step ${steps[values.indexOf(value)]})`;
  const [lowest, highest] = [
    values.reduce((a, b) => Math.min(a, b)),
    values.reduce((a, b) => Math.max(a, b)),
  ];
  return `last ${number(values.at(-1))}, lowest ${at(lowest)}, highest ${at(highest)}`;
}

/** After which steps there is a checkpoint, and of which epochs those are the ends. */
function checkpointsText({ checkpoints, config }: RunRecord): string {
  const stepsPerEpoch = Number(config.settings.stepsPerEpoch);
  const texts = checkpoints.map((step) =>
    step % stepsPerEpoch === 0 ? `${step} (epoch ${step / stepsPerEpoch})` : `${step}`,
  );
  return texts.length === 0 ? 'none' : `after step ${texts.join(', ')}`;
}

/** All about one run. */
export function formatRun(run: RunRecord): string {
  const { config, data } = run;
  const rows: [string, string][] = [
    ['program', config.program],
    ['command', config.commandLine.join(' ')],
    ['begun', config.startedAt],
    ['state', `${stateOf(run)}, ${stepsOf(run)} steps`],
    ['time', formatDuration(data.stepsDurationMs)],
    ['adapter', shown(config.adapter.description)],
    ['checkpoints', checkpointsText(run)],
    ...data.series.map((one): [string, string] => [one.name, curveText(one)]),
    ...Object.entries(config.settings).map(([name, value]): [string, string] => [`  ${name}`, shown(value)]),
  ];
  return textTable(rows, new Set());
}

/** In what runs differ: their settings, and what came of them. */
export function formatComparison(runs: readonly RunRecord[]): string {
  const names = [...new Set(runs.flatMap(({ config }) => Object.keys(config.settings)))];
  const settings = names
    .map((name) => [name, ...runs.map(({ config }) => shown(config.settings[name]))])
    .filter(([, ...values]) => new Set(values).size > 1);
  const curves = [...new Set(runs.flatMap(({ data }) => data.series.map(({ name }) => name)))];
  return textTable(
    [
      ['', ...runs.map(({ directory }) => nameOf(directory))],
      ...settings,
      ['state', ...runs.map(stateOf)],
      ['steps', ...runs.map(stepsOf)],
      ['clips/s', ...runs.map(({ data }) => number(data.clipsPerSecond.values.at(-1)))],
      ...curves.map((name) => [
        `${name}, last`,
        ...runs.map((run) => number(seriesOf(run, name)?.values.at(-1))),
      ]),
    ],
    new Set(),
  );
}
