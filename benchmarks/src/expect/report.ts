import { textTable } from '@tubelet/trainer/formats';
import { UsageError } from '../shared/program.js';
import type { DeviceCeilings } from './devices.js';
import type { DeviceExpectation, ExpectedStep } from './expectation.js';
import {
  CAUTIOUS,
  EXPECTED,
  JAVASCRIPT_SECONDS,
  READ_SECONDS,
  type ProductPrecision,
} from './expected-time.js';

const COUNTS = [
  ...['model', 'task', 'clips', 'dispatches', 'GFLOP', 'GB', 'of unfused', 'peak GB'],
  ...['GB in f16', 'of f32', 'peak GB in f16'],
];
const NUMERIC = (columns: number) => new Set(Array.from({ length: columns - 2 }, (_, i) => i + 2));

function countCells(step: ExpectedStep): string[] {
  return [
    step.model,
    step.task,
    String(step.batchSize),
    String(step.dispatches),
    (step.flops / 1e9).toFixed(0),
    (step.bytes / 1e9).toFixed(2),
    `${(step.bytes / step.unfusedBytes).toFixed(2)}×`,
    (step.peakBytes / 1e9).toFixed(2),
    (step.half.bytes / 1e9).toFixed(2),
    `${(step.half.bytes / step.bytes).toFixed(2)}×`,
    (step.half.peakBytes / 1e9).toFixed(2),
  ];
}

/** `12.3 (4.1–20)`: milliseconds expected, by the roofline, and with caution. */
function timeCell({ expectedSeconds, rooflineSeconds, cautiousSeconds }: DeviceExpectation): string {
  return `${milliseconds(expectedSeconds)} (${milliseconds(rooflineSeconds)}–${milliseconds(cautiousSeconds)})`;
}

/** Three digits. */
function milliseconds(seconds: number): string {
  const value = 1000 * seconds;
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}

/** What steps cost on any machine. */
export function formatCosts(steps: readonly ExpectedStep[]): string {
  return textTable([COUNTS, ...steps.map(countCells)], NUMERIC(COUNTS.length));
}

/** Milliseconds of a step by device. */
export function formatTimes(steps: readonly ExpectedStep[], precision: ProductPrecision): string {
  const { headings, rows } = timeTable(steps, precision);
  return textTable([headings, ...rows], NUMERIC(headings.length));
}

function timeTable(steps: readonly ExpectedStep[], precision: ProductPrecision) {
  const timesOf = (step: ExpectedStep) => step.times.filter((time) => time.precision === precision);
  const names = steps[0] ? timesOf(steps[0]).map(({ device }) => device) : [];
  const headings = ['model', 'task', 'clips', ...names];
  const rows = steps.map((step) => [
    step.model,
    step.task,
    String(step.batchSize),
    ...timesOf(step).map(timeCell),
  ]);
  return { headings, rows };
}

/** What was measured here beside what was expected. */
export function formatMeasured(
  steps: readonly ExpectedStep[],
  device: string,
  precision: ProductPrecision,
): string {
  const rows = steps
    .filter(({ measuredSeconds }) => measuredSeconds !== undefined)
    .map(({ model, task, batchSize, times, measuredSeconds }) => {
      const time = times.find((one) => one.device === device && one.precision === precision)!;
      const over = measuredSeconds! / time.expectedSeconds;
      return [
        model,
        task,
        String(batchSize),
        milliseconds(measuredSeconds!),
        timeCell(time),
        `${over.toFixed(2)}×`,
        `${((100 * time.rooflineSeconds) / measuredSeconds!).toFixed(0)} %`,
      ];
    });
  const headings = ['model', 'task', 'clips', 'measured ms', 'expected ms', 'of expected', 'of roofline'];
  return textTable([headings, ...rows], NUMERIC(headings.length));
}

/** The assumptions behind the times, a line each. */
export function assumptionLines(): string[] {
  const { f32, f16 } = EXPECTED.arithmetic;
  const cautious = CAUTIOUS.arithmetic;
  const { rounded } = EXPECTED;
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  return [
    'A cell is milliseconds of a whole step (forward, backward, AdamW): expected (roofline – cautious).',
    'Every dispatch takes the longer of its arithmetic and its traffic, by its declared costs; the roofline is the sum ' +
      'of that at the published ceilings, as if nothing else took time.',
    `Products reach ${percent(f32.product)} of the f32 ceiling (cautious: ${percent(cautious.f32.product)}): one tile ` +
      'for all GPUs reaches 80 % of the best WGSL on average and 44 % at worst (ggml, four GPUs), and the best WGSL is ' +
      'taken to reach 70 % of what is published.',
    `With matrix units products of f16 reach ${percent(f16.product)} (cautious: ${percent(cautious.f16.product)}) of ` +
      `their ceiling, attention ${percent(f16.attention)} (${percent(cautious.f16.attention)}), but no more than ` +
      `${percent(rounded.product)} (${percent(CAUTIOUS.rounded.product)}) and ${percent(rounded.attention)} ` +
      `(${percent(CAUTIOUS.rounded.attention)}) of the f32 ceiling, which an H100 showed to be the limit of its fast ` +
      'units while operands were stored in f32; with what blocks store in f16 no step has been measured. Traffic is that ' +
      'of a step in f16.',
    `Attention reaches ${percent(f32.attention)} (${percent(cautious.f32.attention)}) of the f32 ceiling, all other ` +
      `arithmetic half of it; traffic ${percent(EXPECTED.bandwidth)} (${percent(CAUTIOUS.bandwidth)}) of the bandwidth, ` +
      'as if no cache helped.',
    'A compute unit takes one workgroup at a time: the last round of a small dispatch leaves units idle.',
    `Between dependent dispatches 4 µs pass on GPUs with memory of their own, 8 µs on others; JavaScript takes ` +
      `${(1e6 * JAVASCRIPT_SECONDS).toFixed(0)} µs a replayed dispatch beside the GPU, so that the slower of the two ` +
      `counts; reading the loss takes ${(1000 * READ_SECONDS).toFixed(1)} ms. The cautious column has the same.`,
    'GB: what kernels read and write by their declared costs: every array of a kernel once, and what one kernel leaves ' +
      'for another, such as parts of sums, in both; in f16 of the kernels for matrix units. "of unfused" is that over ' +
      'what the operations of the tape would move, were each to touch each of its arrays once: forward it reads its inputs and writes its results and ' +
      'what it keeps; backward it reads inputs, what it kept and the gradients of its results, and writes those of its ' +
      'inputs; AdamW passes seven times over the parameters. Gradients that are handed on in place make it less.',
    'Clips reach the GPU as bytes and in time; batches that do not fit a GPU (see peak GB) are listed all the same.',
  ];
}

/** @throws UsageError where prettier is not installed, as beside the published command */
export async function loadPrettier() {
  try {
    return await import('prettier');
  } catch (error) {
    throw new UsageError(
      '--page: writes a page as this repository has them, with prettier, which is not installed: clone it, and there ' +
        '`npm run bench:model -- --expect --page FILE`',
      { cause: error },
    );
  }
}

/** The page `docs/expected-speed.md`. */
export async function expectedSpeedPage(
  steps: readonly ExpectedStep[],
  devices: readonly DeviceCeilings[],
): Promise<string> {
  const tera = (value: number | undefined) => (value === undefined ? '–' : (value / 1e12).toFixed(1));
  const deviceRows = devices.map(({ name, source, ...device }) => [
    name,
    tera(device.f32FlopsPerSecond),
    tera(device.matrixFlopsPerSecond),
    (device.bytesPerSecond / 1e9).toFixed(0),
    String(device.computeUnits),
    source,
  ]);
  const names = new Set(devices.map(({ name }) => name));
  const shown = steps.map((step) => ({
    ...step,
    times: step.times.filter(({ device }) => names.has(device)),
  }));
  const f32 = timeTable(shown, 'f32');
  const f16 = timeTable(shown, 'f16');
  const page = [
    '# Expected speed',
    '<!-- Written by `npm run bench:model -- --expect --page docs/expected-speed.md`; edit benchmarks/src/expect instead. -->',
    'How long a training step should take on GPUs that it was not measured on: on paper, from the work that a step ' +
      'really consists of. A step of each model is taken on a device that computes nothing; its dispatches, operations ' +
      'and bytes are those of a real one and do not depend on the machine. Whoever has one of these GPUs can check the ' +
      'table by one command, which puts what it measures beside what it expects:',
    '```sh\nnpm run bench:model -- --expect\n```',
    'On a GPU that is not in the table the command measures its ceilings first (a loop of multiply–adds, a large copy).',
    '## What a step consists of',
    markdownTable(COUNTS, steps.map(countCells)),
    '## Milliseconds of a step in f32',
    markdownTable(f32.headings, f32.rows),
    '## Milliseconds of a step in f16 on matrix units',
    markdownTable(f16.headings, f16.rows),
    '## Assumptions',
    assumptionLines()
      .map((text) => `- ${text}`)
      .join('\n'),
    '## Published ceilings',
    markdownTable(
      ['GPU', 'f32 TFLOP/s', 'f16 matrix TFLOP/s', 'GB/s', 'compute units', 'published by'],
      deviceRows,
    ),
  ].join('\n\n');
  const { format } = await loadPrettier();
  return format(page, { parser: 'markdown' });
}

function markdownTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  return [headings, headings.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
