import type { Precision, Runtime } from '@tubelet/kernels';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { canHold, kernelCatalogue } from '@tubelet/kernels/lab';
import { HalfPrecisionError, useHalfPrecision } from '@tubelet/kernels/tuning';
import { defaultWorkerCount } from '@tubelet/video';
import { Command } from 'commander';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { measureKernels } from '../kernels/measure-kernels.js';
import { findContenders, measureLoaders } from '../loader/measure-loaders.js';
import { openSources } from '../loader/sources.js';
import { runProgram, UsageError } from '../shared/program.js';
import { measureToggles } from './ablations.js';
import { Budget, CannotError } from './budget.js';
import { checkVariants } from './check-variants.js';
import { clocksNow, describeMachine, ROOT } from './machine.js';
import { measureSteps } from './measure-steps.js';
import { reportJson, reportPage } from './page.js';
import { Pytorch } from './pytorch.js';
import { isSound, type Ablation, type GpuReport, type TrainingRun } from './report.js';
import { fullScope, shortScope, type Scope } from './scope.js';
import { measureTrainingRun } from './training-run.js';

interface Options {
  readonly out?: string;
  readonly minutes: number;
  readonly short?: true;
  readonly ablations?: true;
  readonly python: string;
  readonly commit?: string;
}

/** Parts with less than this are not begun. */
const LEAST_SECONDS = 5;
/** About how long the steps of a run take at most. */
const RUN_SECONDS = 15;

const program = new Command('gpu:report')
  .description(
    'Measures this GPU in one go: every kernel variant held to float64, training steps of the base model and of ViT-B ' +
      'in f32 and f16 beside the same steps in PyTorch, kernels beside the roofline, the loaders, a training run. It ' +
      'keeps to its time: every part has a share of it, what is most telling comes first, and what no time was left ' +
      'for is named, as is what the machine cannot do. Exit code 1 when a result was wrong.',
  )
  .option('--out <path>', 'writes PATH.json and PATH.md (default: docs/measurements/DEVICE-DATE-COMMIT)')
  .option('--minutes <n>', 'time that it may take, building not counted', minutes, 7)
  .option(
    '--ablations',
    'measure toggles too: those of Dawn that other engines set, and what this engine does for GPUs, left out in turn',
  )
  .option(
    '--short',
    'a tiny model and few kernels, for trying the command on a software driver: no figures of speed',
  )
  .option('--python <program>', 'a Python that has PyTorch', 'python3')
  .option('--commit <name>', 'of the sources, where they are a copy without their repository');

function minutes(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new UsageError(`--minutes ${text}: it must be a positive number`);
  return value;
}

async function run(options: Options): Promise<number> {
  const scope = options.short ? shortScope : fullScope;
  const budget = new Budget(60 * options.minutes);
  const plain = await openNodeRuntime();
  const device = await openNodeRuntime({ matrixUnits: true });
  const pytorch = await openPytorch(options.python, plain, budget);
  const folder = mkdtempSync(join(tmpdir(), 'tubelet-report-'));
  try {
    const machine = describeMachine(plain, options.commit);
    const out = options.out ?? join(ROOT, 'docs', 'measurements', nameOf(machine));
    requireWritable(out);
    const checks = await checkVariants(device, kernelCatalogue, scope.checked, budget.part('checks', 0.15));
    const half = await halfRuntime(device, budget);
    const precision = half ? 'f16' : 'f32';
    const runtimes = { f32: plain, ...(half ? { f16: half } : {}) };
    const { rows, profiles } = await measureSteps(
      scope.steps,
      { runtimes, pytorch, ...scope.turns },
      budget.part('steps', 0.5),
    );
    const clocks = clocksNow(plain);
    const kernels = await timeKernels(device, scope, budget);
    const clips = await measureClips(folder, scope, precision, budget);
    const ablations = options.ablations ? await measureAblations(scope, precision, budget) : [];
    const report: GpuReport = {
      machine: { ...machine, ...(clocks === undefined ? {} : { clocks }) },
      ...{ isShort: options.short ?? false, seconds: budget.spent, checks },
      ...(pytorch ? { pytorch: pytorch.about } : {}),
      ...{
        steps: rows,
        profiles,
        ...kernels,
        ...clips,
        ablations,
        leftOut: budget.leftOut,
        failed: budget.failed,
      },
    };
    writeFileSync(`${out}.json`, await reportJson(report));
    const page = await reportPage(report);
    writeFileSync(`${out}.md`, page);
    console.log(page);
    console.error(`wrote ${relative(process.cwd(), out)}.json and .md`);
    return isSound(report) ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    pytorch?.close();
    device.destroy();
    closeNodeRuntime(plain);
  }
}

function nameOf({ slug, date, commit }: GpuReport['machine']): string {
  return `${slug}-${date}-${commit}`;
}

function requireWritable(out: string): void {
  try {
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(`${out}.md`, '', { flag: 'a' });
  } catch (error) {
    throw new UsageError(`--out: cannot write ${out}.md: ${(error as Error).message}`);
  }
}

/** PyTorch, where this Python has it, for the same GPU. */
function openPytorch(python: string, { adapter }: Runtime, budget: Budget): Promise<Pytorch | undefined> {
  console.error('looking for PyTorch …');
  return budget.part('PyTorch', 1).attempt('all of it', async () => {
    const pytorch = await Pytorch.open(python, () => budget.left);
    if (adapter.isSoftware || !pytorch.isOnProcessor) return pytorch;
    pytorch.close();
    throw new CannotError(
      `the PyTorch ${pytorch.about.torch} of ${python} computes on the processor: with --python, give one for this GPU`,
    );
  });
}

/** The same device, computing in f16 from now on; undefined where it cannot. */
function halfRuntime(device: Runtime, budget: Budget): Promise<Runtime | undefined> {
  return budget.part('f16', 1).attempt('all of it', async () => {
    try {
      await useHalfPrecision(device);
      return device;
    } catch (error) {
      throw error instanceof HalfPrecisionError ? new CannotError(error.message) : error;
    }
  });
}

async function timeKernels(
  device: Runtime,
  scope: Scope,
  budget: Budget,
): Promise<Pick<GpuReport, 'roofline' | 'kernels'>> {
  const part = budget.part('kernels', 0.25);
  const cases = scope
    .timed(kernelCatalogue)
    .filter(({ spec, testCase }) => canHold(device, spec, testCase.shape));
  const measured = await part.attempt('all of them', () =>
    measureKernels(device, cases, {
      ...scope.timing,
      around: async ({ spec, testCase }, measure) => {
        const name = `${spec.name}, ${testCase.name}`;
        if (!part.allows(name)) return undefined;
        console.error(`timing ${name} …`);
        return part.attempt(name, measure);
      },
    }),
  );
  return measured ? { roofline: measured.roofline, kernels: measured.rows } : { kernels: [] };
}

/** How fast clips are loaded, and how fast a training takes them. */
async function measureClips(
  folder: string,
  scope: Scope,
  precision: Precision,
  budget: Budget,
): Promise<Pick<GpuReport, 'loaders'> & { readonly run?: TrainingRun }> {
  const part = budget.part('clips', 0.25);
  if (!part.allows('loaders and a run', LEAST_SECONDS)) return { loaders: [] };
  const { batchSize, seconds, trainerClipsPerSecond, runSteps, runModel } = scope.clips;
  const sources = await part.attempt('making clips', async () =>
    openSources(folder, batchSize, scope.contenders(await findContenders())),
  );
  if (!sources) return { loaders: [] };
  const workers = defaultWorkerCount();
  const loaders = await part.attempt('loaders', () =>
    measureLoaders(sources, { batchSize, workers, seconds, trainerClipsPerSecond }),
  );
  const measured = { loaders: loaders ?? [] };
  if (!part.allows('a run', LEAST_SECONDS)) return measured;
  console.error('training …');
  // As many steps as there are clips for.
  const loaded = Math.max(1, ...measured.loaders.map(({ clipsPerSecond }) => clipsPerSecond)) * RUN_SECONDS;
  const steps = Math.max(4, Math.min(runSteps, Math.round(loaded / batchSize)));
  const hasShards = sources.some(({ source }) => source === 'shards');
  const run = await part.attempt('a run', () =>
    measureTrainingRun({
      source: join(folder, hasShards ? 'shards' : 'mp4'),
      ...{ videos: 2 * batchSize, out: join(folder, 'run'), precision, clips: batchSize },
      ...{ steps, mostSeconds: part.left, model: runModel },
    }),
  );
  return run ? { ...measured, run } : measured;
}

async function measureAblations(scope: Scope, precision: Precision, budget: Budget): Promise<Ablation[]> {
  const part = budget.part('toggles', 1);
  const measure = () => measureToggles(scope.ablated, precision, scope.toggleSets, scope.ablationTurns, part);
  return (await part.attempt('all of them', measure)) ?? [];
}

await runProgram(program, run);
