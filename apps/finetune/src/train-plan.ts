import type { ClassifierConfig } from '@tubelet/mae-dfer';
import type { BadFiles } from '@tubelet/programs';
import type { JsonValue, Progress, StopRequest } from '@tubelet/trainer';
import type { Dataset } from '@tubelet/video';
import type { RunVideos } from './data-source.js';
import type { RunOptions } from './train-options.js';

/** A fold to train on. */
export interface TrainRequest {
  readonly dataset: Dataset;
  readonly fold: number;
  readonly options: RunOptions;
  readonly config: ClassifierConfig;
  readonly commandLine: readonly string[];
}

/** What the parts of a run share. */
export interface Plan extends TrainRequest {
  readonly videos: RunVideos;
  readonly settings: Readonly<Record<string, JsonValue>>;
  readonly stepsPerEpoch: number;
  readonly progress: Progress;
  readonly badFiles: BadFiles;
  readonly stop: StopRequest;
}
