import type { Engine, StepInputs, StepTensors, Tensor } from '@tubelet/autograd';
import type { GpuArray, Runtime } from '@tubelet/kernels';
import type { Communicator } from '@tubelet/mpi';
import type { Ffmpeg } from '@tubelet/video';
import type { CheckpointContent } from '../formats/checkpoint.js';
import type { Metrics } from '../program/meters.js';
import type { Progress } from '../program/progress.js';
import type { JsonValue, RunFolder } from '../run/run-folder.js';
import type { BadFiles } from './bad-files.js';
import type { EpochSource } from './epoch-reader.js';
import type { TrainingResult } from './loop.js';
import type { TrainingOptions } from '../options/training-options.js';
import type { TrainedParts } from './training-tensors.js';

/** Where the clips of a batch are from: enough to make them again. */
export interface ClipOrigins {
  /** The video of each. */
  readonly names: readonly string[];
  /** The sample of each, by which all that is random in it is drawn. */
  readonly sampleIndices: ArrayLike<number>;
  /** The frames of each in its video. */
  readonly frameIndices: readonly (readonly number[])[];
}

/** What gives the batches of a training. */
export interface TaskLoader<Batch> extends EpochSource<Batch> {
  readonly sampleCount: number;
  /** What decodes, in words. */
  readonly decoder: string;
  readonly ffmpeg: Pick<Ffmpeg, 'kind' | 'version'>;
  close(): Promise<void>;
}

/** A model with its optimiser, as far as steps need them. */
export interface SteppedModel<Batch> extends TrainedParts {
  readonly engine: Engine;
  /** Names of the values that `forward` gives as `losses`; the first is `loss`, the one that is minimised. */
  readonly losses: readonly string[];
  /** A batch as what `forward` takes: the only way of clips to the GPU. */
  inputs(batch: Batch, epoch: number): StepInputs<string>;
  /** The loss of a batch, and the values to be told of it, f32 [losses]. Is recorded and replayed (`StepOptions.record`). */
  forward(batch: StepTensors<string>): { readonly loss: Tensor; readonly losses: GpuArray };
}

/** A model with its optimiser, as a training needs them. */
export interface TrainedModel<Batch> extends SteppedModel<Batch> {
  /** What is trained, in words, such as `lgi-former`. */
  readonly kind: string;
  /** Gives the parameters their first random values. */
  initialise(): void;
  checkpoint(completedSteps: number): Promise<CheckpointContent>;
  /** @throws CheckpointMismatchError when the content is another model's, CheckpointCorruptError */
  restore(path: string, content: CheckpointContent): void;
}

/** What of a task can be looked at without its data: enough for a step of zeros. */
export interface Trainable<Batch, Model extends TrainedModel<Batch> = TrainedModel<Batch>> {
  readonly options: TrainingOptions;
  createModel(runtime: Runtime): Model;
  /** Sizes of batches must be multiples of it; default 1. */
  readonly batchMultiple?: number;
  /** A batch that holds only zeros. */
  emptyBatch(batchSize: number): Batch;
}

/** One of several ranks that share the samples of an epoch. */
export interface RankShare {
  readonly rank: number;
  readonly ranks: number;
  /** Those on this host, which share its processor. */
  readonly localRanks: number;
}

/** The data of a task, which have been looked for and found good as far as that can be said without decoding. */
export interface TaskData<Batch> {
  /** Settings that decide the result of a run, what names the data among them: a resumed run must have the same. */
  readonly settings: Readonly<Record<string, JsonValue>>;
  /** What else `config.json` is to say. */
  readonly description: Readonly<Record<string, JsonValue>>;
  /** Gives the batches of one of `ranks` ranks, which share each step's samples. */
  openLoader(share: RankShare): Promise<TaskLoader<Batch>>;
}

/** What the parts of a run share. */
export interface RunContext<Batch> {
  readonly ranks: Communicator;
  readonly run: RunFolder;
  readonly loader: TaskLoader<Batch>;
  readonly stepsPerEpoch: number;
  readonly progress: Progress;
  readonly badFiles: BadFiles;
}

/** Where the first weights of a run are from. */
export interface FirstWeights {
  /** For the user. */
  readonly note: string;
  /** For the log; absent where they are random. */
  readonly record?: object;
}

/** What is trained, on what, and what is said of it: all in which the trainings of different programs differ. */
export interface Task<
  Batch extends ClipOrigins,
  Model extends TrainedModel<Batch> = TrainedModel<Batch>,
> extends Trainable<Batch, Model> {
  /** What is run, such as `pretrain`. */
  readonly program: string;
  readonly version: string;
  readonly commandLine: readonly string[];
  /** Epochs from one checkpoint to the next, unless the options say otherwise. */
  readonly saveEveryEpochs: number;
  /** What else could make an epoch longer where it has no whole step, behind a comma. */
  readonly moreBatches?: string;
  /** Finds the data. Files that cannot be used are told to `badFiles`. */
  openData(badFiles: BadFiles): Promise<TaskData<Batch>>;
  /** Gives a new run other first weights than random ones, before it has a folder. */
  loadFirstWeights?(model: Model): Promise<FirstWeights>;
  /** Lines about what is about to be trained on what. */
  announcements(context: RunContext<Batch>): string[];
  /** Follows the last step of an epoch, counted from 0; what it gives is logged as a validation. */
  endEpoch?(model: Model, epoch: number, context: RunContext<Batch>): Promise<Metrics | undefined>;
  /** Lines about what a run has left behind, besides those that every run has. */
  summary?(model: Model): string[];
  /** Follows the end of a run that the user did not stop. */
  conclude?(model: Model, result: TrainingResult, context: RunContext<Batch>): Promise<void>;
}
