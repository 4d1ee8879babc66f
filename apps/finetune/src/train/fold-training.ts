import type { ClassifierConfig } from '@tubelet/mae-dfer';
import type { Dataset } from '@tubelet/video';
import type { RunVideos } from '../shared/data-source.js';
import type { RunOptions } from './train-options.js';

/** A fold to train on. */
export interface TrainRequest {
  readonly dataset: Dataset;
  readonly fold: number;
  readonly options: RunOptions;
  readonly config: ClassifierConfig;
  /** The file that `--from` means, where it is known already; default: the newest of the run that it names. */
  readonly startingFile?: string;
  readonly commandLine: readonly string[];
}

/** A fold with its videos. */
export interface FoldTraining extends TrainRequest {
  readonly videos: RunVideos;
}
