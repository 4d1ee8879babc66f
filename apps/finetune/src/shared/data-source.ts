import { createHash } from 'node:crypto';
import { option, OptionError, UserError, type ValuesOf } from '@tubelet/trainer';
import { DATASET_NAMES, holdOut, openDataset, type Dataset, type LabelledVideo } from '@tubelet/video';

/** Options that say which data set to use. */
export const dataOptions = {
  data: option.choice('<name>', `one of ${DATASET_NAMES.join(', ')}`, DATASET_NAMES),
  root: option.text(
    '<path>',
    'the data set’s folder as its owners lay it out; for csv, a file path,label[,fold,subject] with a header',
  ),
  classesFile: option
    .text('<file>', 'for csv: class names, one a line (default: classes.txt beside it)')
    .optional(),
};

/** The same where another word than a flag names the data set. */
export const placeOptions = {
  root: option.text('<path>', 'the folder of the data set as its owners lay it out; for csv, the CSV file'),
  classesFile: dataOptions.classesFile,
  fold: option.wholeOrAll('<n>', 'one fold, or all').default('all'),
};

/** A fold by its number, or all of them one after the other. */
export type FoldChoice = number | 'all';

export type DataOptions = Readonly<ValuesOf<typeof dataOptions>>;

/** Which videos training is watched on while it goes on. */
export const VALIDATION_PARTS = ['held-out', 'test', 'none'] as const;
export type ValidationPart = (typeof VALIDATION_PARTS)[number];

/** The videos of a run. */
export interface RunVideos {
  readonly train: readonly LabelledVideo[];
  /** Empty with `none`. */
  readonly validation: readonly LabelledVideo[];
  /** What validation is done on, in words, for reports. */
  readonly validatedOn: string;
  readonly test: readonly LabelledVideo[];
}

/**
 * Opens the data set that the options name.
 *
 * @throws OptionError for a file of classes where the classes are known
 */
export function openData({ data, root, classesFile }: DataOptions): Promise<Dataset> {
  if (classesFile !== undefined && data !== 'csv') {
    throw new OptionError('--classes-file', classesFile, `none with --data ${data}, whose classes are known`);
  }
  return openDataset({ name: data, root, classesFile });
}

/** @throws OptionError unless the data set has this fold */
export function requireFold({ title, folds }: Dataset, fold: number): void {
  if (fold > folds) {
    throw new OptionError(
      '--fold',
      fold,
      folds === 1 ? `1: ${title} has one split` : `1 to ${folds}, or all`,
    );
  }
}

/**
 * The videos of a fold, a part of the training videos held out for validation if that is asked for.
 *
 * @throws UserError when nothing is left to train on, or there is nothing to validate on
 */
export function videosOfFold(
  dataset: Dataset,
  fold: number,
  {
    validateOn,
    validationShare,
    seed,
  }: { validateOn: ValidationPart; validationShare: number; seed: number },
): RunVideos {
  const { train, test } = dataset.split(fold);
  if (train.length === 0) throw new UserError(`fold ${fold} of ${dataset.root} has no videos to train on`);
  if (validateOn === 'test') {
    if (test.length === 0) {
      throw new UserError(
        `${dataset.root} has no test part to validate on: give it a column \`fold\`, or use --validate-on held-out`,
      );
    }
    return { train, test, validation: test, validatedOn: 'the test part (as the published training does)' };
  }
  if (validateOn === 'none') return { train, test, validation: [], validatedOn: 'nothing' };
  try {
    const held = holdOut(train, { share: validationShare, seed });
    const kind = held.by === 'subject' ? 'people' : 'videos of each class';
    const percent = Math.round(100 * (held.validation.length / train.length));
    const validatedOn = `${held.validation.length} training videos held out (${percent} %, whole ${kind})`;
    return {
      train: held.train,
      test,
      validation: held.validation,
      validatedOn: held.by === 'subject' ? validatedOn : validatedOn.replace('whole ', ''),
    };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UserError(
      `no videos can be held out for validation: ${error.message} Use --validate-on none, or another --validation-share.`,
      { cause: error },
    );
  }
}

/** Names a list of labelled videos: another one as soon as a video or a label changes. */
export function labelledFingerprint(videos: readonly LabelledVideo[]): string {
  const hash = createHash('sha256');
  for (const { id, label } of videos) hash.update(`${label} ${id}\n`);
  return `${videos.length} videos, ${hash.digest('hex').slice(0, 16)}`;
}
