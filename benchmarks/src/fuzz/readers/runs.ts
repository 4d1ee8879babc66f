/** What a run leaves in its folder and takes as its settings. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TuningTable, tuningTableFromJson, tuningTableToJson } from '@tubelet/kernels/tuning';
import {
  evaluationJson,
  evaluationOf,
  option,
  optionSet,
  readEvaluation,
  readReportData,
  readRunConfig,
  renderEvaluation,
  renderReport,
  requireSameSettings,
  RunLog,
} from '@tubelet/trainer';
import { Command } from 'commander';
import fc from 'fast-check';
import { EXAMPLE_CONFIG } from '../../../../packages/trainer/src/testing/example-config.js';
import { changed, damaged } from '../mutate.js';
import type { Reader } from '../reader.js';

const json = (value: unknown) => Buffer.from(JSON.stringify(value) ?? '');

const LOG = [
  { type: 'start', step: 0, time: '2026-01-02T03:04:05.000Z', totalSteps: 3 },
  ...[1, 2, 3].map((step) => ({
    ...{
      type: 'step',
      step,
      epoch: step >> 1,
      durationMs: 9.5,
      clipsPerSecond: 3,
      dataWaitMs: 1,
      gpuWaitMs: 2,
    },
    metrics: { loss: 1 / step, 'learning rate': 1e-3 },
  })),
  { type: 'validation', step: 3, epoch: 1, metrics: { 'validation/uar': 0.5 } },
  { type: 'end', step: 3 },
];

const EVALUATION = evaluationOf(
  {
    ...{ dataset: 'DFEW', fold: 1, part: 'test', checkpoint: 'runs/a/best.safetensors', clipsPerVideo: 2 },
    classNames: ['glad', 'calm', 'sad'],
    leftOut: [{ id: 'b', reason: 'cut short' }],
  },
  [
    { id: 'a', label: 0, predicted: 0, probabilities: [0.5, 0.3, 0.2] },
    { id: 'c', label: 2, predicted: 1, probabilities: [0.2, 0.5, 0.3] },
  ] as never,
);

const YAML = [
  '# a run\nepochs: 30\nlr: 1.5e-4\nregion: [2, 5, 10]\nout: "runs/a"\nresume: false\n',
  'region: 2,5,10\nprecision: f16\nshares: 0.75,0.9\nmemory-budget: 8GiB\nclips: all\n',
  'region: &r [1, 2, 2]\nout: >\n  two\n  lines\nlr: !!float 3\n',
].map((text) => Buffer.from(text));

const OPTIONS = optionSet({
  'Options:': {
    out: option.text('<dir>', 'a folder').optional(),
    resume: option.flag('go on'),
    epochs: option.whole('<n>', 'passes').default(1),
    lr: option.positive('<rate>', 'a rate').default(1),
    region: option.wholes('<t,h,w>', 'extents', 3).optional(),
    shares: option.shares('<shares>', 'some').optional(),
    precision: option.choice('<format>', 'a format', ['f32', 'f16']).default('f32'),
    memoryBudget: option.bytes('<size>', 'bytes').optional(),
    clips: option.wholeOrAll('<n>', 'how many').default(1),
  },
});

function readConfig(path: string): unknown {
  const command = new Command('train').exitOverride();
  OPTIONS.addTo(command, { configFile: true }).action(() => undefined);
  command.parse(['--config', path], { from: 'user' });
  return OPTIONS.read(command);
}

const TABLE = tuningTableToJson(
  new TuningTable(
    { adapter: { vendor: 'mesa', device: 1 } as never, compiler: 'webgpu 0.6.2', kernels: 'abc' },
    [],
  ),
);

/** A log of which one record is another, among lines that are damaged or not. */
const logs = fc.oneof(
  damaged([Buffer.from(`${LOG.map((record) => JSON.stringify(record)).join('\n')}\n`)]),
  changed([LOG]).map((records) =>
    Buffer.from(
      Array.isArray(records)
        ? records.map((record) => `${JSON.stringify(record)}\n`).join('')
        : json(records),
    ),
  ),
);

export function runReaders(folder: string): Reader[] {
  const run = join(folder, 'run');
  mkdirSync(run, { recursive: true });
  const inFile = (name: string, read: (path: string) => unknown) => {
    const path = join(run, name);
    return {
      refusals: ['UserError'],
      names: path,
      read: (bytes: Uint8Array) => {
        writeFileSync(path, bytes);
        return read(path);
      },
    };
  };
  const options = inFile('options.yaml', readConfig);
  return [
    {
      name: 'YAML of options',
      inputs: damaged(YAML),
      share: 10_000,
      ...{ ...options, refusals: ['UserError', 'OptionError', 'UnknownOptionError'] },
    },
    {
      name: 'config.json of a run',
      inputs: fc.oneof(damaged([json(EXAMPLE_CONFIG)]), changed([EXAMPLE_CONFIG]).map(json)),
      share: 5_000,
      ...inFile('config.json', () => {
        const { settings } = readRunConfig(run);
        try {
          requireSameSettings(run, settings, EXAMPLE_CONFIG.settings);
        } catch (error) {
          if ((error as Error).name !== 'UserError') throw error;
        }
      }),
    },
    {
      name: 'log.jsonl, for a report',
      inputs: logs,
      share: 3_000,
      ...inFile('log.jsonl', async (path) => renderReport(await readReportData(path), EXAMPLE_CONFIG)),
    },
    {
      name: 'log.jsonl, to go on with',
      inputs: logs,
      share: 5_000,
      ...inFile('resumed.jsonl', (path) => new RunLog(path, 2).close()),
    },
    {
      name: 'evaluation.json',
      inputs: fc.oneof(
        damaged([Buffer.from(evaluationJson(EVALUATION))]),
        changed([JSON.parse(evaluationJson(EVALUATION))]).map(json),
      ),
      share: 4_000,
      ...inFile('evaluation.json', async (path) => renderEvaluation(await readEvaluation(path))),
    },
    {
      name: 'table of tuned kernels',
      inputs: changed([TABLE]).map(json),
      refusals: ['TuningTableError'],
      share: 3_000,
      read: (bytes) => tuningTableFromJson(JSON.parse(Buffer.from(bytes).toString())),
    },
  ];
}
