// The runs that a study needs: their folders, command lines, and what they will take.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@tubelet/trainer';
import { finetuning, pretraining } from './faces-recipe.js';
import { optionWords, type OptionValues } from './option-words.js';
import {
  DATA_SETS,
  encoderParameters,
  videosOf,
  type DataSet,
  type Study,
  type StudyRow,
} from './studies.js';

export type Program = 'pretrain' | 'finetune';
export type RunState = 'finished' | 'interrupted' | 'to do';

/** A training of a study. */
export interface StudyRun {
  readonly name: string;
  readonly program: Program;
  readonly folder: string;
  readonly epochs: number;
  /** The pre-training that it begins with; null for none, and for a pre-training. */
  readonly needs: string | null;
  /** The epoch of the pre-training whose checkpoint it begins with; default: the newest. */
  readonly epoch?: number;
  /** The command line, after `tubelet`. */
  readonly words: readonly string[];
  /** What it is expected to take. */
  readonly seconds: number;
  readonly bytes: number;
}

export interface StudySettings {
  /** Those that are tested on; `faces` for drawn ones. */
  readonly dataSets: readonly string[];
  /** Fine-tunings of each row. */
  readonly seeds: number;
  /** Where the runs lie. */
  readonly folder: string;
  /** The folder of the recipes. */
  readonly recipes: string;
  /** A path as commands have it. */
  readonly place: (path: string) => string;
  /** How many are drawn in the place of each real data set; undefined for real data. */
  readonly people?: number;
  /** Videos to pre-train on. */
  readonly sources: readonly string[];
  /** Of the data sets. */
  readonly roots: Readonly<Record<string, string>>;
  /** Words that are added to the command lines. */
  readonly further: Readonly<Record<Program, readonly string[]>>;
  /** Clips in a second of base. */
  readonly speed: Readonly<Record<Program, number>>;
}

/** Clips of VoxCeleb2's development part. */
const PRETRAINING_CLIPS = 1_092_009;
/** Of a labelled set: DFEW has five folds, and FERV39k's split is about the same. */
const TRAINING_SHARE = 0.8;
const FINETUNING_EPOCHS = { paper: 100, drawn: 6 };
/** People without labels for so many with labels: the fifty epochs of the recipes are of few clips. */
export const unlabelledPeople = (people: number) => Math.max(2, Math.ceil(people / 6));
const DRAWN_CLASSES = 7;

type Model = 'tiny' | 'small' | 'base' | 'vit-base';

/** GFLOP of a step of 8 clips, docs/expected-speed.md. */
export const STEP_GFLOP: Readonly<Record<Program, Readonly<Record<Model, number>>>> = {
  pretrain: { tiny: 469, small: 549, base: 662, 'vit-base': 740 },
  finetune: { tiny: 623, small: 1363, base: 2388, 'vit-base': 3955 },
};

/** Milliseconds of a step of 8 clips of base on an H100 in f32, docs/measured-speed.md. */
export const STEP_MS = { pretrain: 54.3, finetune: 102.5 };

/** Clips in a second of base: on that H100, and of the miniature on two processor cores without a GPU. */
export const SPEEDS = {
  paper: { pretrain: 8000 / STEP_MS.pretrain, finetune: 8000 / STEP_MS.finetune },
  drawn: { pretrain: 66, finetune: 48 },
};

/** In millions: the decoder, four blocks of width 384 between two products; and the whole of the miniature. */
const DECODER_PARAMETERS = 8;
const DRAWN_PARAMETERS = 0.46;
/** A checkpoint has the weights and the two moments of AdamW, in f32. */
const BYTES_PER_PARAMETER = 12;

/** The model that a recipe of pre-training describes. */
function modelOf(recipe: string | null): Model {
  if (recipe === 'tiny' || recipe === 'small') return recipe;
  return recipe === 'videomae' || recipe?.startsWith('vit-') ? 'vit-base' : 'base';
}

/** Epochs of a recipe of pre-training, and how many of its checkpoints stay besides the three latest. */
const trainingOf = (recipe: string) =>
  recipe === 'epochs' ? { epochs: 100, kept: 10 } : { epochs: 50, kept: 0 };

/** Epochs that the words of a command line say, the last of which holds. */
function epochsAmong(words: readonly string[]): number | undefined {
  const [, epochs] = [...words.join(' ').matchAll(/--epochs[= ](\d+)/g)].at(-1) ?? [];
  return epochs === undefined ? undefined : Number(epochs);
}

/** Options that make a recipe of pre-training one of drawn faces: its encoder small, its regions in proportion. */
function drawnEncoder(recipe: string): OptionValues {
  const { model: _, region, ...encoder } = pretraining;
  const widths: Readonly<Record<string, OptionValues>> = {
    tiny: { dim: 32, heads: 1 },
    small: { dim: 48, heads: 3 },
  };
  const regions: Readonly<Record<string, string>> = {
    'region-1-5-10': '1,2,4',
    'region-2-2-10': '2,1,4',
    'region-2-10-10': '2,4,4',
    'region-4-5-10': '4,2,4',
  };
  const regionOption = modelOf(recipe) === 'vit-base' ? {} : { region: regions[recipe] ?? region };
  return { ...encoder, ...widths[recipe], ...regionOption };
}

/** Options of fine-tuning on drawn faces. The model is that of `--from`; without one it is described. */
function drawnFinetuning(isFromScratch: boolean): OptionValues {
  const { model: _, dim, depth, heads, region, 'image-size': imageSize, frames, ...others } = finetuning;
  const encoder = { dim, depth, heads, region, 'image-size': imageSize, frames };
  return isFromScratch ? { ...encoder, ...others } : others;
}

interface Work {
  readonly recipe: string | null;
  readonly clips: number;
  readonly checkpoints: number;
}

function estimate(
  program: Program,
  { recipe, clips, checkpoints }: Work,
  { speed, people }: StudySettings,
): Pick<StudyRun, 'seconds' | 'bytes'> {
  const isDrawn = people !== undefined;
  const model = modelOf(recipe);
  const operations = isDrawn ? 1 : STEP_GFLOP[program][model] / STEP_GFLOP[program].base;
  const millions = isDrawn
    ? DRAWN_PARAMETERS
    : encoderParameters[model]! + (program === 'pretrain' ? DECODER_PARAMETERS : 0);
  return {
    seconds: (clips * operations) / speed[program],
    bytes: checkpoints * millions * 1e6 * BYTES_PER_PARAMETER,
  };
}

/** The development part of VoxCeleb2, which the paper trains on, in the place of a folder that holds the test part too. */
function developmentPart(source: string): string {
  return existsSync(join(source, 'dev', 'mp4')) ? join(source, 'dev') : source;
}

function pretrainingRun(recipe: string, settings: StudySettings): StudyRun {
  const { folder, recipes, place, people, sources, further } = settings;
  const { kept, epochs: preset } = trainingOf(recipe);
  const epochs = epochsAmong(further.pretrain) ?? preset;
  const clips = epochs * (people ? DRAWN_CLASSES * unlabelledPeople(people) : PRETRAINING_CLIPS);
  const config = place(join(recipes, 'pretrain', `${recipe}.yaml`));
  const options = { config, ...(people ? drawnEncoder(recipe) : {}), out: place(join(folder, recipe)) };
  return {
    name: recipe,
    program: 'pretrain',
    folder: join(folder, recipe),
    epochs,
    needs: null,
    words: ['pretrain', ...sources.map(developmentPart), ...optionWords(options), ...further.pretrain],
    ...estimate('pretrain', { recipe, clips, checkpoints: 3 + kept }, settings),
  };
}

function finetuningRun(row: StudyRow, dataSet: string, seed: number, settings: StudySettings): StudyRun {
  const { folder, recipes, place, people, roots, further } = settings;
  const { pretraining: recipe, epoch, finetuning: ending = '' } = row;
  const start = recipe === null ? 'scratch' : epoch === undefined ? recipe : `${recipe}-${epoch}`;
  const trained = people ? 'faces' : DATA_SETS[dataSet as DataSet].recipe;
  const name = `${start}-${trained}${ending}${seed > 0 ? `-seed-${seed}` : ''}`;
  const epochs = people ? FINETUNING_EPOCHS.drawn : FINETUNING_EPOCHS.paper;
  const videos = people ? DRAWN_CLASSES * people : videosOf(dataSet as DataSet);
  // Where the test part is validated on, two clips of each of its videos are seen forwards, a third of a step's work.
  const validated = people ? 0 : ((1 - TRAINING_SHARE) * 2) / 3;
  const options = {
    config: place(join(recipes, 'finetune', `${people ? DATA_SETS.dfew.recipe : trained}${ending}.yaml`)),
    ...(people ? { data: 'csv' } : {}),
    root: roots[dataSet],
    // Nothing is chosen by validation, so all clips of the other people train.
    ...(people ? { 'validate-on': 'none', epochs, ...drawnFinetuning(recipe === null) } : {}),
    seed,
    out: place(join(folder, name)),
  };
  return {
    name,
    program: 'finetune',
    folder: join(folder, name),
    epochs,
    needs: recipe,
    epoch,
    words: ['finetune', ...optionWords(options), ...further.finetune],
    ...estimate(
      'finetune',
      { recipe, clips: epochs * videos * (TRAINING_SHARE + validated), checkpoints: 2 },
      settings,
    ),
  };
}

export interface StudyPlan {
  readonly runs: readonly StudyRun[];
  /** Of each row of the table the names of its fine-tunings by data set, seed by seed. */
  readonly rows: readonly Readonly<Record<string, readonly string[]>>[];
}

/**
 * The plan of a study.
 *
 * @returns runs in an order in which they can be made, each once, and of each row of the table the names of its
 *   fine-tunings by data set, seed by seed
 */
export function planStudy(study: Study, settings: StudySettings): StudyPlan {
  const runs = new Map<string, StudyRun>();
  const add = (run: StudyRun) => {
    if (!runs.has(run.name)) runs.set(run.name, run);
    return run.name;
  };
  for (const { pretraining: recipe } of study.rows)
    if (recipe !== null) add(pretrainingRun(recipe, settings));
  const seeds = Array.from({ length: settings.seeds }, (_, seed) => seed);
  const rows = study.rows.map((row) =>
    Object.fromEntries(
      settings.dataSets.map((name) => [
        name,
        seeds.map((seed) => add(finetuningRun(row, name, seed, settings))),
      ]),
    ),
  );
  return { runs: [...runs.values()], rows };
}

/**
 * Checks that pre-trainings have the epochs whose checkpoints fine-tunings begin with.
 *
 * @param left the runs to do
 * @param epochsOf a pre-training has, or will have
 * @throws UserError naming the fine-tuning and the epochs
 */
export function requireEpochs(
  left: readonly StudyRun[],
  runs: readonly StudyRun[],
  epochsOf: (pretrained: StudyRun) => number,
): void {
  for (const { name, needs, epoch } of left) {
    const pretrained = runs.find((run) => run.name === needs);
    if (!pretrained || epoch === undefined || epoch <= epochsOf(pretrained)) continue;
    throw new UserError(
      `${name} begins with epoch ${epoch} of ${needs}, which has ${epochsOf(pretrained)} epochs. Pre-train for at ` +
        `least ${epoch} (--epochs in --pretrain-options, and another --out if it has ended), or name the other runs with --only.`,
    );
  }
}

/**
 * The checkpoint that a fine-tuning begins with: of an epoch, or the run's newest.
 *
 * @param stepsPerEpoch of the pre-training
 */
export function startOf(run: StudyRun, pretrained: StudyRun, stepsPerEpoch: number): string {
  if (run.epoch === undefined) return pretrained.folder;
  const step = stepsPerEpoch * run.epoch;
  return join(pretrained.folder, 'checkpoints', `step-${String(step).padStart(8, '0')}.safetensors`);
}

const duration = (seconds: number) => {
  if (seconds < 5400) return `${Math.ceil(seconds / 60)} min`;
  return seconds < 172_800 ? `${(seconds / 3600).toFixed(1)} h` : `${(seconds / 86_400).toFixed(1)} days`;
};
const size = (bytes: number) =>
  bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;

/** The plan as text: a line for each run with its state, time and room on the disk, and what they add up to. */
export function planText(runs: readonly StudyRun[], stateOf: (run: StudyRun) => RunState): string {
  const sums = (kept: readonly StudyRun[]) => {
    const seconds = kept.reduce((sum, run) => sum + run.seconds, 0);
    const bytes = kept.reduce((sum, run) => sum + run.bytes, 0);
    return `${duration(seconds)}, ${size(bytes)}`;
  };
  const lines = runs.map((run) => [
    run.name,
    run.program,
    stateOf(run),
    duration(run.seconds),
    size(run.bytes),
  ]);
  const cells = [['run', 'program', 'state', 'time', 'disk'], ...lines];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((line) => line[column]!.length)));
  const text = cells.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  const left = runs.filter((run) => stateOf(run) !== 'finished');
  return [...text, `all ${runs.length}: ${sums(runs)}; not finished ${left.length}: ${sums(left)}`].join(
    '\n',
  );
}

/** What the times of a plan take for granted. */
export function assumptionText(
  { speed, people }: Pick<StudySettings, 'speed' | 'people'>,
  isGiven: boolean,
): string {
  const said = `${speed.pretrain.toPrecision(3)} clips/s in pre-training and ${speed.finetune.toPrecision(3)} in fine-tuning`;
  if (people) return `times take ${said}${isGiven ? '' : ', as on two processor cores without a GPU'}`;
  const where = isGiven ? 'as given' : 'measured on one H100 in f32; give your own as --clips-per-second';
  return (
    `times take ${said} of base (${where}), other models by their operations, every block and region as base's; ` +
    `${PRETRAINING_CLIPS.toLocaleString('en')} clips of VoxCeleb2`
  );
}
