import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import type { EncoderConfig } from '@tubelet/mae-dfer';
import { BadFiles, type Evaluation, evaluationOf, UserError } from '@tubelet/trainer';
import type { CropMode, Dataset, LabelledVideo } from '@tubelet/video';
import { resolveCheckpoint } from './checkpoint-place.js';
import { readClassifierFile, type ClassifierFile } from './classifier-file.js';
import { openData, requireFold } from './data-source.js';
import { leakWarning } from './evaluate-leak.js';
import { scoringProgress } from './evaluate-progress.js';
import { evaluateVideos } from './evaluate.js';
import { openClassifier } from './inference.js';
import type { EvaluateCommandOptions, Part } from './classifier-options.js';

/** Where warnings and progress go. */
export type Tell = (line: string) => void;

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
 * @throws {UserError} with both lists
 */
export function requireSameClasses(
  path: string,
  { classNames }: { readonly classNames: readonly string[] },
  { title, classes }: Pick<Dataset, 'title' | 'classes'>,
): void {
  if (classNames.join('\0') === classes.join('\0')) return;
  throw new UserError(
    `${path} tells ${classNames.length} classes apart (${classNames.join(', ')}), and ${title} has ${classes.length} ` +
      `(${classes.join(', ')}). Give a classifier of this data set, or train one (finetune train --from ${path}).`,
  );
}

/** The videos of a part of a fold. Throws `UserError` when there are none. */
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
 * @throws {OptionError} for a fold that the data set does not have
 */
export function foldOf(
  { fold }: Pick<EvaluateCommandOptions, 'fold'>,
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
 * @throws {UserError} when the checkpoint or the data set cannot be used, or they do not belong together
 * @throws {OptionError} for a fold that there is not
 */
export async function evaluateDataset(
  options: EvaluateCommandOptions,
  tell: Tell,
): Promise<DatasetEvaluation> {
  const { part, clips, batchSize, workers } = options;
  const path = await resolveCheckpoint(options.checkpoint, (warning) => tell(`warning: ${warning}`));
  const file = await readClassifierFile(path);
  const { description } = file;
  const dataset = await openData(options);
  requireSameClasses(path, description, dataset);
  const fold = foldOf(options, file, dataset);
  const videos = videosOf(dataset, fold, part);
  const leak = leakWarning(description, dataset, videos);
  if (leak !== null) tell(`warning: ${leak}`);
  const frameStep = options.frameStep ?? description.clips.frameStep;
  const crop = options.crop ?? description.clips.crop;

  const badFiles = new BadFiles({ note: tell });
  const runtime = await openNodeRuntime();
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
