import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import type { EncoderConfig } from '@tubelet/mae-dfer';
import { BadFiles, type Evaluation, evaluationOf, UserError } from '@tubelet/trainer';
import type { CropMode, Dataset, LabelledVideo } from '@tubelet/video';
import { resolveCheckpoint } from '../shared/checkpoint-place.js';
import { readClassifierFile, type ClassifierFile } from '../classifier/classifier-file.js';
import { openData, requireFold } from '../shared/data-source.js';
import { leakWarning } from './evaluate-leak.js';
import { scoringProgress } from '../shared/scoring-progress.js';
import { evaluateVideos } from './evaluate.js';
import { findFoldClassifiers, readFoldClassifier } from '../classifier/fold-classifiers.js';
import { openClassifier } from '../classifier/inference.js';
import type { EvaluateCommandOptions } from './evaluate-options.js';
import type { Part } from '../shared/classifier-options.js';

/** Where warnings and progress go. */
export type Tell = (line: string) => void;

/** Options of `evaluate` for one fold. */
export type OneFoldOptions = EvaluateCommandOptions & { readonly fold?: number };

/** An evaluation and what does not belong into its figures. */
export interface DatasetEvaluation {
  readonly evaluation: Evaluation;
  /** As `--data` takes it. */
  readonly datasetName: string;
  /** The classifier's. */
  readonly encoder: EncoderConfig;
  /** Mean cross-entropy of the clips. */
  readonly loss: number;
  readonly frameStep: number;
  readonly crop: CropMode;
  /** Why the figures flatter the classifier; null where nothing says so. */
  readonly leak: string | null;
}

/**
 * Checks that a classifier tells the classes of a data set apart, in the same order.
 *
 * @throws UserError with both lists
 */
export function requireSameClasses(
  path: string,
  { classNames }: { readonly classNames: readonly string[] },
  { title, classes }: Pick<Dataset, 'title' | 'classes'>,
): void {
  if (classNames.join('\0') === classes.join('\0')) return;
  throw new UserError(
    `${path} tells ${classNames.length} classes apart (${classNames.join(', ')}), and ${title} has ${classes.length} ` +
      `(${classes.join(', ')}). Give a classifier of this data set, or train one (tubelet finetune --from ${path}).`,
  );
}

/**
 * The videos of a part of a fold.
 *
 * @throws UserError when there are none
 */
export function videosOf(dataset: Dataset, fold: number, part: Part): readonly LabelledVideo[] {
  const { train, test } = dataset.split(fold);
  const videos = part === 'all' ? [...train, ...test] : part === 'train' ? train : test;
  if (videos.length === 0) {
    const remedy =
      part === 'test'
        ? 'Use --part all, or give the data set a column `fold`.'
        : 'Use --part test, or look at the files that list its videos.';
    throw new UserError(`fold ${fold} of ${dataset.root} has no videos in its ${part} part. ${remedy}`);
  }
  return videos;
}

/**
 * The fold that is asked for, or else the one that the classifier was trained for, or else the first.
 *
 * @throws OptionError for a fold that the data set does not have
 */
export function foldOf(
  { fold }: { readonly fold?: number },
  { description }: Pick<ClassifierFile, 'description'>,
  dataset: Dataset,
): number {
  if (fold !== undefined) {
    requireFold(dataset, fold);
    return fold;
  }
  const { data } = description;
  return data.name === dataset.name && data.fold <= dataset.folds ? data.fold : 1;
}

/**
 * Evaluates a classifier on a part of a data set. Everything that can be wrong with the checkpoint and the data set is
 * looked at before the GPU is opened.
 *
 * @throws UserError when the checkpoint or the data set cannot be used, or they do not belong together
 * @throws OptionError for a fold that there is not
 */
export async function evaluateDataset(options: OneFoldOptions, tell: Tell): Promise<DatasetEvaluation> {
  const path = await resolveCheckpoint(options.checkpoint, (warning) => tell(`warning: ${warning}`));
  const file = await readClassifierFile(path);
  const dataset = await openData(options);
  requireSameClasses(path, file.description, dataset);
  const fold = foldOf({ fold: options.fold }, file, dataset);
  return evaluateFold({ path, file, dataset, fold }, options, tell);
}

/**
 * Evaluates the classifier of each fold of a cross-validation on a part of its fold. All classifiers are looked at
 * before the GPU is opened.
 *
 * @throws UserError when a classifier is missing or cannot be used, as {@link findFoldClassifiers}
 */
export async function evaluateFolds(
  options: EvaluateCommandOptions,
  tell: Tell,
): Promise<readonly DatasetEvaluation[]> {
  const dataset = await openData(options);
  const places = await findFoldClassifiers(options.checkpoint, dataset, (warning) =>
    tell(`warning: ${warning}`),
  );
  for (const place of places) {
    videosOf(dataset, place.fold, options.part);
    // Read again when its turn comes: together they would fill the memory.
    requireSameClasses(place.path, (await readFoldClassifier(place, dataset)).description, dataset);
  }
  const results: DatasetEvaluation[] = [];
  for (const { fold, path } of places) {
    tell(`fold ${fold} of ${dataset.folds}: ${path}`);
    const file = await readFoldClassifier({ fold, path }, dataset);
    results.push(await evaluateFold({ path, file, dataset, fold }, options, tell));
  }
  return results;
}

/** A classifier, its file, and the fold that it is evaluated on. */
interface FoldSubject {
  readonly path: string;
  readonly file: ClassifierFile;
  readonly dataset: Dataset;
  readonly fold: number;
}

async function evaluateFold(
  { path, file, dataset, fold }: FoldSubject,
  options: EvaluateCommandOptions,
  tell: Tell,
): Promise<DatasetEvaluation> {
  const { part, clips, batchSize, workers, gpu } = options;
  const { description } = file;
  const videos = videosOf(dataset, fold, part);
  const leak = leakWarning(description, dataset, videos);
  if (leak !== null) tell(`warning: ${leak}`);
  const frameStep = options.frameStep ?? description.clips.frameStep;
  const crop = options.crop ?? description.clips.crop;

  const badFiles = new BadFiles({ note: tell });
  const runtime = await openNodeRuntime({ gpu });
  try {
    const { scores, loss, leftOut } = await evaluateVideos(openClassifier(runtime, file), videos, {
      classNames: dataset.classes,
      clips,
      batchSize,
      frameStep,
      crop,
      workers,
      progress: scoringProgress(tell),
      onBadFile: badFiles.report,
    });
    const subject = {
      dataset: dataset.title,
      fold,
      part,
      checkpoint: path,
      clipsPerVideo: clips,
      classNames: dataset.classes,
      leftOut,
    };
    const evaluation = evaluationOf(subject, scores);
    const { encoder } = description.model;
    return { evaluation, datasetName: dataset.name, encoder, loss, frameStep, crop, leak };
  } finally {
    closeNodeRuntime(runtime);
  }
}
