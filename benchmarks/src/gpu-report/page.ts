import { format } from 'prettier';
import { table } from '../docs/markdown.js';
import type { KernelRow } from '../kernels/report.js';
import { describeAdapter } from '../shared/adapter.js';
import { forms, isSound, type Form, type GpuReport, type StepRow } from './report.js';

/** The page of a report, ratios first. */
export function reportPage(report: GpuReport): Promise<string> {
  const { machine, leftOut, profiles } = report;
  const sections = [
    `# ${describeAdapter(machine.adapter)}, ${machine.date}`,
    introduction(report),
    isSound(report) ? undefined : `**Something was wrong:**\n\n${bullets(wrongLines(report))}`,
    '## Ratios',
    ratioTable(report) ?? 'Nothing that was measured can be compared.',
    ...section('## Steps', stepsText(report)),
    ...section('## Kernels', kernelsText(report)),
    ...section('## Clips', clipsText(report)),
    ...section('## Toggles of Dawn', ablationsText(report)),
    ...section('## Checks', checksText(report)),
    ...Object.entries(profiles).map(
      ([name, text]) =>
        `## A step by kernel: ${name}\n\nEach kernel in a pass of its own.\n\n\`\`\`\n${text}\n\`\`\``,
    ),
    ...section('## Left out', leftOut.length > 0 ? bullets(leftOut) : undefined),
  ];
  return format(sections.filter(Boolean).join('\n\n'), { parser: 'markdown' });
}

/** The report as JSON, in the form that the repository's files have. */
export function reportJson(report: GpuReport): Promise<string> {
  return format(JSON.stringify(report), { parser: 'json' });
}

function section(heading: string, text: string | undefined): string[] {
  return text === undefined ? [] : [heading, text];
}

function bullets(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join('\n');
}

function introduction({ machine, roofline, isShort, seconds, pytorch }: GpuReport): string {
  const { driver, commit, isModified, node, dawn, platform, cores, clocks } = machine;
  const modified = isModified ? ', with changes' : '';
  const reached =
    roofline &&
    `A loop of multiply–adds reached ${teraflops(roofline.gigaflopsPerSecond)} TFLOP/s and a large copy ` +
      `${(roofline.gigabytesPerSecond / 1000).toPrecision(3)} TB/s.`;
  return [
    `One ${describeAdapter(machine.adapter)}${driver === undefined ? '' : ` (${driver})`}, through Dawn (\`webgpu\` ${dawn}, Node ` +
      `${node}, ${platform}, ${cores} processor cores), Tubelet at ${commit}${modified}, ${machine.date}.`,
    reached,
    pytorch && `Beside it PyTorch ${pytorch.torch} (CUDA ${pytorch.cuda ?? 'none'}) on ${pytorch.device}.`,
    clocks && `At work: ${clocks}.`,
    `Made by \`npm run gpu:report\` in ${seconds.toFixed(0)} s${isShort ? '; in short form, which says nothing of speed' : ''}.`,
  ]
    .filter(Boolean)
    .join(' ');
}

function wrongLines({ checks, kernels, pytorch, failed }: GpuReport): string[] {
  return [
    ...failed,
    ...checks.flatMap(({ kernel, variant, wrong }) => wrong.map((line) => `${kernel}, ${variant}: ${line}`)),
    ...kernels
      .filter(({ check }) => !check.passed)
      .map(
        ({ kernel, variant, case: name, check }) =>
          `${kernel}, ${variant}: ${name}: off by ${check.error.toExponential(1)}`,
      ),
    ...(pytorch?.agreement.wrong ?? []).map((line) => `PyTorch's model: ${line}`),
  ];
}

/** What one thing takes of another's time. */
export interface Ratio {
  readonly of: string;
  readonly what: string;
  readonly ratio: number;
}

/** Ours over PyTorch's, f16 over f32, and LGI-Former over the ViT, where both were measured. */
export function ratiosOf(steps: readonly StepRow[]): Ratio[] {
  const ratios: Ratio[] = [];
  for (const { model, task, clips, form, oursOverThis } of steps) {
    if (oursOverThis === undefined) continue;
    const own = form.endsWith('bf16') && find(steps, { model, task, clips, form: 'f16' }) ? 'f16' : 'f32';
    ratios.push({ of: `${own} over ${form}`, what: named({ model, task, clips }), ratio: oursOverThis });
  }
  for (const row of steps.filter(({ form }) => form === 'f16')) {
    const exact = find(steps, { ...row, form: 'f32' });
    if (exact) ratios.push({ of: 'f16 over f32', what: named(row), ratio: row.seconds / exact.seconds });
  }
  for (const row of steps.filter(({ model }) => model !== 'vit-base')) {
    const vit = find(steps, { ...row, model: 'vit-base' });
    if (!vit) continue;
    const what = `${row.task}, ${row.clips} clips, ${row.form}`;
    ratios.push({ of: `${row.model} over vit-base`, what, ratio: row.seconds / vit.seconds });
  }
  return ratios;
}

type Key = Pick<StepRow, 'model' | 'task' | 'clips' | 'form'>;

function find(steps: readonly StepRow[], { model, task, clips, form }: Key): StepRow | undefined {
  return steps.find(
    (row) => row.model === model && row.task === task && row.clips === clips && row.form === form,
  );
}

function named({ model, task, clips }: Omit<Key, 'form'>): string {
  return `${model}, ${task}, ${clips} clips`;
}

function ratioTable({ steps, run }: GpuReport): string | undefined {
  const rows = ratiosOf(steps).map(({ of, what, ratio }) => [of, what, `${ratio.toFixed(2)}×`]);
  if (run) {
    const share = `${(100 * run.waitedForData).toFixed(0)} %`;
    rows.push([
      'waiting for clips over time',
      `a run of pre-training, ${run.clips} clips, ${run.precision}`,
      share,
    ]);
  }
  return rows.length > 0 ? table(['time', 'step', ''], rows) : undefined;
}

function stepsText({ steps }: GpuReport): string | undefined {
  if (steps.length === 0) return undefined;
  const measured = forms.filter((form) => steps.some((row) => row.form === form));
  const settings = [...new Map(steps.map((row) => [named(row), row])).values()];
  const rowsOf = (cell: (row: StepRow) => string) =>
    settings.map(({ model, task, clips }) => [
      ...[model, task, String(clips)],
      ...measured.map((form: Form) => {
        const row = find(steps, { model, task, clips, form });
        return row ? cell(row) : '–';
      }),
    ]);
  const headings = ['model', 'task', 'clips', ...measured];
  return [
    'Milliseconds of a whole step (forward, backward, AdamW), in a row without waiting; forms take turns.',
    table(
      headings,
      rowsOf(({ seconds }) => milliseconds(seconds)),
    ),
    'Clips a second:',
    table(
      headings,
      rowsOf(({ clips, seconds }) => (clips / seconds).toPrecision(3)),
    ),
    'Most memory at one time, GB:',
    table(
      headings,
      rowsOf(({ peakBytes }) => (peakBytes === undefined ? '–' : (peakBytes / 1e9).toFixed(2))),
    ),
  ].join('\n\n');
}

function kernelsText({ kernels }: GpuReport): string | undefined {
  if (kernels.length === 0) return undefined;
  const cells = (row: KernelRow) => [
    ...[row.kernel, row.case, row.variant, (1e6 * row.seconds).toFixed(1)],
    ...[teraflops(row.gigaflopsPerSecond), row.gigabytesPerSecond.toFixed(0)],
    ...[`${(100 * row.rooflineShare).toFixed(0)} %`, row.bound],
  ];
  const headings = ['kernel', 'shape', 'variant', 'µs', 'TFLOP/s', 'GB/s', 'of roofline', 'bound by'];
  return [
    'The roofline is that of f32 and of the copy measured in this run: on matrix units a share may exceed 100 %.',
    table(headings, kernels.map(cells)),
  ].join('\n\n');
}

function clipsText({ loaders, run }: GpuReport): string | undefined {
  const lines = [
    ...loaders.map(({ source, name, clipsPerSecond }) => [
      `loader, ${source}, ${name}`,
      clipsPerSecond.toFixed(1),
    ]),
    ...(run ? [[`a run in ${run.precision}, ${run.clips} clips a step`, run.clipsPerSecond.toFixed(1)]] : []),
  ];
  return lines.length > 0 ? table(['', 'clips/s'], lines) : undefined;
}

function ablationsText({ ablations }: GpuReport): string | undefined {
  if (ablations.length === 0) return undefined;
  const rows = ablations.map(({ toggles, precision, seconds, overNone }) => [
    ...[toggles.join(', ') || 'none', precision, milliseconds(seconds), `${overNone.toFixed(3)}×`],
  ]);
  return table(['toggles', 'precision', 'ms a step', 'over none'], rows);
}

function checksText({ checks, pytorch }: GpuReport): string | undefined {
  if (checks.length === 0) return undefined;
  const rows = checks.map(({ kernel, variant, cases, worst, wrong }) => [
    ...[kernel, variant, String(cases), worst.toFixed(2), wrong.length === 0 ? 'passed' : 'WRONG'],
  ]);
  const agreement = pytorch?.agreement;
  return [
    'Every variant that the device runs, against float64, twice with the same bytes. Error over tolerance:',
    table(['kernel', 'variant', 'cases', 'worst', ''], rows),
    agreement &&
      `PyTorch's model: ${agreement.compared} reference numbers compared, the worst (${agreement.worst.what}) off by ` +
        `${agreement.worst.error.toExponential(1)} of ${agreement.worst.bound.toExponential(0)}.`,
  ]
    .filter(Boolean)
    .join('\n\n');
}

function milliseconds(seconds: number): string {
  return (1000 * seconds).toFixed(seconds < 0.1 ? 2 : 1);
}

function teraflops(gigaflops: number): string {
  return (gigaflops / 1000).toFixed(gigaflops < 100 ? 4 : gigaflops < 1e4 ? 2 : 1);
}
