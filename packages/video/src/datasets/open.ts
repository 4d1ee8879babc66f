/**
 * Labelled data sets.
 *
 * ```ts
 * const dataset = await openDataset({ name: 'dfew', root: '/data/DFEW' });
 * const { train, test } = dataset.split(1);                              // LabelledVideo[] of fold 1
 * const { train: kept, validation } = holdOut(train, { share: 0.1, seed: 0 });
 * labelCounts(kept, dataset.classes);                                    // [K]
 * ```
 */
import { resolve } from 'node:path';
import { openCremaD } from './crema-d.js';
import { openCsvDataset } from './csv-dataset.js';
import type { Dataset } from './dataset.js';
import { openDfew } from './dfew.js';
import { openEnterface05 } from './enterface05.js';
import { openFerv39k } from './ferv39k.js';
import { openMafw } from './mafw.js';
import { DATASET_NAMES, DATASETS, type DatasetName, type PublishedName } from './protocols.js';
import { openRavdess } from './ravdess.js';

const OPENERS: Readonly<Record<PublishedName, (root: string) => Dataset>> = {
  dfew: openDfew,
  ferv39k: openFerv39k,
  mafw: openMafw,
  'crema-d': openCremaD,
  ravdess: openRavdess,
  enterface05: openEnterface05,
};

export interface OpenDatasetOptions {
  readonly name: DatasetName;
  /** The folder of the data set as its owners lay it out; for `csv`, the CSV file. */
  readonly root: string;
  /** For `csv`: names of the classes, one a line; by default `classes.txt` beside the CSV file. */
  readonly classesFile?: string;
}

/**
 * Opens a labelled data set. Of the published ones, `DATASETS` says what is expected on the disk. Whether the clips
 * that label files list are there is not looked at: parts of a data set can be used, and the loader reports what it
 * misses.
 *
 * @throws RangeError for an unknown name, or a `classesFile` of a data set that has its own classes; DatasetError
 *   listing all that is missing or wrong.
 */
export async function openDataset({ name, root, classesFile }: OpenDatasetOptions): Promise<Dataset> {
  if (name === 'csv') {
    return openCsvDataset(resolve(root), classesFile === undefined ? undefined : resolve(classesFile));
  }
  if (!Object.hasOwn(OPENERS, name)) {
    throw new RangeError(`name is ${JSON.stringify(name)}: give one of ${DATASET_NAMES.join(', ')}.`);
  }
  if (classesFile !== undefined) {
    throw new RangeError(
      `classesFile is ${classesFile}: leave it out, ${DATASETS[name].title} has its own classes.`,
    );
  }
  return OPENERS[name](resolve(root));
}
