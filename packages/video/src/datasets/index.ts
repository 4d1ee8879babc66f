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
export {
  DatasetError,
  type Dataset,
  type DatasetProblem,
  type DatasetSplit,
  type LabelledVideo,
} from './dataset';
export {
  DATASET_NAMES,
  DATASETS,
  PUBLISHED_NAMES,
  type DatasetName,
  type DatasetProtocol,
  type PublishedName,
  type PublishedProtocol,
  type PublishedSizes,
  type SplitSize,
} from './protocols';
export { openDataset, type OpenDatasetOptions } from './open';
export { holdOut, type HoldOut, type HoldOutOptions } from './hold-out';
export { labelCounts } from './label-counts';
export * from './check/index';
