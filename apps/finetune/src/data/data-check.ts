import { resolve } from 'node:path';
import {
  createCounter,
  debugOption,
  formatTally,
  option,
  optionSet,
  tally,
  UserError,
  type Counter,
  type ValuesOfSet,
} from '@tubelet/trainer';
import { writeTextFile } from '@tubelet/trainer/formats';
import {
  checkDataset,
  DatasetError,
  openFaceDetector,
  unopenedCheck,
  type Dataset,
  type DatasetCheck,
  type FaceDetector,
} from '@tubelet/video';
import { formatCheck } from './data-check-text.js';
import {
  openData,
  placeOptions,
  requireFold,
  type DataOptions,
  type FoldChoice,
} from '../shared/data-source.js';
import { requireWritable, terminal, type Terminal } from '../shared/output.js';

/** The options of `data check`. */
export const checkOptions = optionSet({
  'Options:': {
    ...placeOptions,
    quick: option.flag(
      'look at names, numbers and lengths of files only, and open neither images nor videos',
    ),
    faces: option.flag(
      'compare size and place of the faces of 48 clips with those of `data faces` (installs the detector at the first use)',
    ),
    json: option.text('<file>', 'write everything that was found to a file').optional(),
    ...debugOption,
  },
});

/** Options of `data check`, and the name of the data set. */
export type DataCheckOptions = Pick<DataOptions, 'data'> &
  Readonly<Omit<ValuesOfSet<typeof checkOptions>, 'debug' | 'quick' | 'faces'>> & {
    readonly quick?: boolean;
    readonly faces?: boolean;
  };

/**
 * The folds that are asked for.
 *
 * @throws OptionError for one that the data set does not have
 */
export function chosenFolds(dataset: Dataset, fold: FoldChoice): number[] {
  if (fold === 'all') return Array.from({ length: dataset.folds }, (_, i) => i + 1);
  requireFold(dataset, fold);
  return [fold];
}

/**
 * Checks a copy of a data set and tells what is wrong with it.
 *
 * @throws UserError after the report, when there are errors; OptionError for options that cannot be followed;
 * errors of the detector
 */
export async function dataCheck(
  options: DataCheckOptions,
  io: Terminal = terminal,
  counter: Counter = createCounter('clips'),
  open: typeof openFaceDetector = openFaceDetector,
): Promise<void> {
  const { json } = options;
  if (json !== undefined) requireWritable('--json', json);
  const detector = options.faces ? await open(io.note) : undefined;
  let check: DatasetCheck;
  try {
    check = await runCheck(options, counter, detector);
  } finally {
    await detector?.close();
  }
  const counts = tally(check.findings);
  if (json !== undefined) await writeTextFile(json, `${JSON.stringify({ ...check, counts }, null, 2)}\n`);
  await io.write(formatCheck(check));
  if (json !== undefined) io.note(`wrote ${json}`);
  else if (check.findings.length > 0) io.note('--json FILE writes all of them to a file');
  if (counts.error > 0) {
    throw new UserError(`this copy of ${check.title} is not as it should be: ${formatTally(counts)}`);
  }
}

async function runCheck(
  { fold, quick, ...source }: DataCheckOptions,
  counter: Counter,
  detector: FaceDetector | undefined,
): Promise<DatasetCheck> {
  let dataset: Dataset;
  try {
    dataset = await openData(source);
  } catch (error) {
    if (!(error instanceof DatasetError)) throw error;
    const folds = fold === 'all' ? undefined : [fold];
    return unopenedCheck(source.data, resolve(source.root), error, { quick, folds });
  }
  const folds = chosenFolds(dataset, fold);
  try {
    return await checkDataset(dataset, {
      ...{ folds, quick, detector },
      onProgress: (done, total) => counter.update(done, total),
    });
  } finally {
    counter.stop();
  }
}
