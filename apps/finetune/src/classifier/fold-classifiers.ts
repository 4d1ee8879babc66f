/** The classifiers of a cross-validation: a folder with one for each fold. */
import { readdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OptionError, UserError } from '@tubelet/trainer';
import { PUBLISHED_NAMES, type Dataset } from '@tubelet/video';
import { resolveCheckpoint } from '../shared/checkpoint-place.js';
import { readClassifierFile, type ClassifierFile } from './classifier-file.js';
import { publishedClassifier } from './published-classifier.js';
import { readWeightsFile } from './weights-file.js';

/** Where the classifier of a fold is. */
export interface FoldPlace {
  readonly fold: number;
  readonly path: string;
}

const WEIGHTS = /\.(safetensors|pth|pt)$/i;
const FOLD_IN_NAME = /(?:fold|fd|set|split)[-_ ]?0*(\d+)(?!\d)/i;

/**
 * Finds the classifier of each fold in a folder, by names such as `fold-1`, `dfew_fd1` or `fold1.pth`: of a file the
 * weights in it, of a run its newest checkpoint, of another folder its only weights or, of `checkpoint-….pth`, those of
 * the last epoch, whose results are the published ones.
 *
 * @throws OptionError for a place that is not a folder; UserError unless there is one classifier for each
 * fold
 */
export async function findFoldClassifiers(
  place: string,
  { title, folds }: Pick<Dataset, 'title' | 'folds'>,
  warn: (message: string) => void,
): Promise<FoldPlace[]> {
  const found = await stat(place).catch(() => null);
  if (!found?.isDirectory()) {
    throw new OptionError('--checkpoint', place, 'with --fold all, a folder with a classifier of each fold');
  }
  const names = new Map<number, string>();
  for (const entry of readdirSync(place, { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    if (!entry.isDirectory() && !WEIGHTS.test(entry.name)) continue;
    const number = FOLD_IN_NAME.exec(entry.name)?.[1];
    if (number === undefined) {
      // Runs have folders of other things beside those of their folds.
      if (entry.isDirectory()) continue;
      throw new UserError(
        `${join(place, entry.name)} does not say its fold: rename it, such as to fold-1${entry.name.slice(entry.name.lastIndexOf('.'))}`,
      );
    }
    const fold = Number(number);
    const other = names.get(fold);
    if (other !== undefined) {
      throw new UserError(
        `${place} has two classifiers of fold ${fold}, ${other} and ${entry.name}: leave one of them there`,
      );
    }
    names.set(fold, entry.name);
  }
  const numbers = Array.from({ length: folds }, (_, i) => i + 1);
  const missing = numbers.filter((fold) => !names.has(fold));
  const beyond = [...names.keys()].filter((fold) => !numbers.includes(fold));
  if (missing.length > 0 || beyond.length > 0) {
    throw new UserError(
      `${place} must have a classifier of each of the ${folds} folds of ${title}, such as fold-1 or fold-1.pth: ` +
        [
          ...(missing.length > 0 ? [`fold ${missing.join(', ')} is missing`] : []),
          ...(beyond.length > 0 ? [`there is no fold ${beyond.join(', ')}`] : []),
        ].join(', and '),
    );
  }
  return Promise.all(
    numbers.map(async (fold) => ({ fold, path: await weightsIn(join(place, names.get(fold)!), warn) })),
  );
}

/** The file of weights that a place means. */
async function weightsIn(place: string, warn: (message: string) => void): Promise<string> {
  if ((await stat(place)).isDirectory()) {
    const files = readdirSync(place).filter((name) => WEIGHTS.test(name));
    if (files.length === 1) return join(place, files[0]!);
    const epoch = (name: string) => Number(/^checkpoint-(\d+)\.pth$/.exec(name)?.[1] ?? -1);
    const last = files.sort((a, b) => epoch(b) - epoch(a))[0];
    if (last !== undefined && epoch(last) >= 0) return join(place, last);
  }
  return resolveCheckpoint(place, warn);
}

/**
 * Reads the classifier of a fold. One that the published code has trained is taken to be of this fold of this data set.
 *
 * @throws UserError for weights that are not a classifier of the data set's classes, or one of another fold or data
 * set
 */
export async function readFoldClassifier(
  { fold, path }: FoldPlace,
  { name, title }: Pick<Dataset, 'name' | 'title'>,
): Promise<ClassifierFile> {
  const weights = await readWeightsFile(path);
  if (weights.source === 'published checkpoint') {
    const published = PUBLISHED_NAMES.find((one) => one === name);
    if (published === undefined) {
      throw new UserError(
        `${path} does not say which classes it tells apart, and those of ${title} are nowhere published`,
      );
    }
    const description = await publishedClassifier(weights, { name: published, fold });
    return { description, weights: weights.tensors, content: { tensors: weights.tensors, metadata: {} } };
  }
  const file = await readClassifierFile(path);
  const { data } = file.description;
  if (data.name !== name || data.fold !== fold) {
    throw new UserError(
      `${path} was trained on fold ${data.fold} of ${data.name}, and its name says fold ${fold} of ${title}`,
    );
  }
  return file;
}
