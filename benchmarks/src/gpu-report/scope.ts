import type { KernelCase, KernelSpec } from '@tubelet/kernels/lab';
import { lgiFormer, type VitConfig } from '@tubelet/mae-dfer';
import type { MeasureOptions } from '../kernels/measure-case.js';
import type { KernelAtCase } from '../kernels/measure-kernels.js';
import type { Contender } from '../loader/measure-loader.js';
import { encoders, type ModelRun } from '../model/workload.js';
import { fewToggleSets, toggleSets } from './ablations.js';
import type { CheckedCases } from './check-variants.js';
import type { StepSetting, StepSources } from './measure-steps.js';

/** How much a report looks at. */
export interface Scope {
  readonly checked: CheckedCases;
  readonly steps: readonly StepSetting[];
  readonly turns: Pick<StepSources, 'rounds' | 'turnMs'>;
  timed(catalogue: readonly KernelSpec[]): readonly KernelAtCase[];
  readonly timing: MeasureOptions;
  contenders(all: readonly Contender[]): readonly Contender[];
  readonly clips: {
    readonly batchSize: number;
    readonly seconds: number;
    readonly trainerClipsPerSecond: number;
    readonly runSteps: number;
    /** Options of `tubelet pretrain`. */
    readonly runModel: readonly string[];
  };
  readonly ablated: ModelRun;
  readonly toggleSets: readonly (readonly string[])[];
  readonly ablationTurns: { readonly rounds: number; readonly steps: number };
}

/** Where most of a step's time goes, first. */
const HEAVY = ['matmul', 'attention', 'attention-backward', 'layer-norm', 'layer-norm-backward', 'adamw'];
const CLIPS = 8;
const LARGE_PRODUCT = 4096;

/** The model's shapes at 8 clips, heavy kernels first, and a product large enough for any GPU, of f32 and of f16. */
function modelCases(catalogue: readonly KernelSpec[]): KernelAtCase[] {
  const rank = ({ name }: KernelSpec) => (HEAVY.includes(name) ? HEAVY.indexOf(name) : HEAVY.length);
  const cases = [...catalogue]
    .sort((a, b) => rank(a) - rank(b))
    .flatMap((spec) =>
      spec.cases
        .filter(({ kind }) => kind === 'model')
        .map((testCase) => ({ spec, testCase: atClips(spec, testCase) })),
    );
  const { spec } = cases[0]!;
  const [m, n, k] = [LARGE_PRODUCT, LARGE_PRODUCT, LARGE_PRODUCT];
  const large = (name: string, more = {}): KernelAtCase => ({
    spec,
    testCase: { name: `${m} × ${n} × ${k}${name}`, kind: 'model', shape: { m, n, k, ...more } },
  });
  return [large(''), large(', stored in f16', { halves: ['a', 'b', 'out'] }), ...cases];
}

function atClips(spec: KernelSpec, testCase: KernelCase<unknown>): KernelCase<unknown> {
  if (!spec.withClips) return testCase;
  return {
    ...testCase,
    name: `${testCase.name}, ${CLIPS} clips`,
    shape: spec.withClips(testCase.shape, CLIPS),
  };
}

/** Fine-tuning of the base model first: what everything else is compared with. */
const steps: readonly StepSetting[] = (['finetune', 'pretrain'] as const).flatMap((task) =>
  (['base', 'vit-base'] as const).flatMap((model) =>
    [8, 32].map((clips) => ({ model, encoder: encoders[model], task, clips })),
  ),
);

export const fullScope: Scope = {
  checked: { operations: 4e7, cases: Infinity },
  steps,
  turns: { rounds: 3, turnMs: 400 },
  timed: modelCases,
  timing: { rounds: 5, batchMs: 20, referenceMacs: 1e7 },
  contenders: (all) => all,
  clips: { batchSize: 32, seconds: 3, trainerClipsPerSecond: 200, runSteps: 60, runModel: [] },
  ablated: { encoder: encoders.base, task: 'finetune', batchSize: CLIPS },
  toggleSets,
  ablationTurns: { rounds: 5, steps: 5 },
};

const tinyClip = { frames: 4, imageSize: 32 };
const tinyLgi = lgiFormer('tiny', { ...tinyClip, dim: 64, depth: 1, heads: 1, region: [1, 1, 2] });
const tinyVit: VitConfig = {
  ...{ kind: 'vit', ...tinyClip, tubeletSize: 2, patchSize: 16 },
  ...{ dim: 64, depth: 1, heads: 1 },
};
/** Kernels of which a short report times a tiny case. */
const FEW = ['matmul', 'layer-norm'];

/** Everything that a report does, on little: it is to end in two minutes on two cores without a GPU. */
export const shortScope: Scope = {
  checked: { operations: 1e5, cases: 1 },
  steps: [
    { model: 'tiny', encoder: tinyLgi, task: 'finetune', clips: 2 },
    { model: 'vit', encoder: tinyVit, task: 'finetune', clips: 2 },
    { model: 'tiny', encoder: tinyLgi, task: 'pretrain', clips: 2 },
  ],
  turns: { rounds: 1, turnMs: 1 },
  timed: (catalogue) =>
    catalogue
      .filter(({ name }) => FEW.includes(name))
      .map((spec) => ({ spec, testCase: spec.cases.find(({ kind }) => kind === 'tiny')! })),
  timing: { rounds: 1, batchMs: 1, referenceMacs: 1e7 },
  contenders: (all) => all.slice(0, 1),
  clips: {
    ...{ batchSize: 2, seconds: 0.5, trainerClipsPerSecond: 30, runSteps: 4 },
    runModel: [
      ...'--frames 4 --image-size 32 --region 1,1,2 --dim 64 --depth 1 --heads 1'.split(' '),
      ...'--decoder-dim 64 --decoder-depth 1 --decoder-heads 1'.split(' '),
    ],
  },
  ablated: { encoder: tinyLgi, task: 'finetune', batchSize: 2 },
  toggleSets: fewToggleSets,
  ablationTurns: { rounds: 1, steps: 1 },
};
