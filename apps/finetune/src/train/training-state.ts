import {
  AdamW,
  Engine,
  ExponentialMovingAverage,
  LossScale,
  readStateDict,
  softCrossEntropy,
  type StepTensors,
} from '@tubelet/autograd';
import type { Runtime } from '@tubelet/kernels';
import { Classifier, DropPath, maskKeyInputs } from '@tubelet/mae-dfer';
import { readTraining, restoreTraining, type TrainedModel } from '@tubelet/trainer';
import { CheckpointCorruptError, type CheckpointContent } from '@tubelet/trainer/formats';
import { TrainingPixels, type LabelledClipBatch } from '@tubelet/video';
import { describeClassifier, type ClassifierDescription } from '../classifier/classifier-file.js';
import type { BestEpoch } from '../shared/best-epoch.js';
import type { TrainOptions } from './train-options.js';

const BEST_KEY = 'tubelet.best';

/** Options that decide what a step does. */
export type StateOptions = Pick<
  TrainOptions,
  'weightDecay' | 'layerDecay' | 'tokenLayer' | 'precision' | 'clipGradients' | 'dropPath' | 'ema' | 'seed'
> & { readonly recompute?: boolean };

/** A classifier with all that training changes, and the way between that and checkpoints. */
export class ClassifierTraining implements TrainedModel<LabelledClipBatch> {
  readonly losses = ['loss'];
  readonly engine: Engine;
  readonly classifier: Classifier;
  readonly optimiser: AdamW;
  readonly lossScale: LossScale;
  readonly dropPath: DropPath;
  readonly average: ExponentialMovingAverage | undefined;
  private readonly pixels: TrainingPixels;
  /** The best validation so far. */
  best: BestEpoch | undefined;

  constructor(
    runtime: Runtime,
    readonly description: ClassifierDescription,
    private readonly options: StateOptions,
  ) {
    this.engine = new Engine(runtime);
    this.classifier = new Classifier(this.engine, description.model);
    this.pixels = new TrainingPixels(runtime, description.model.encoder.imageSize);
    const { weightDecay, layerDecay, tokenLayer, precision, clipGradients, ema } = options;
    const { encoder } = description.model;
    this.lossScale = new LossScale(this.engine, {
      dynamic: precision === 'f16',
      maxGradientNorm: clipGradients,
    });
    this.optimiser = new AdamW(this.classifier.store, {
      lossScale: this.lossScale,
      weightDecay,
      groups: this.classifier.learningRateGroups({ layerDecay, representativeTokens: tokenLayer }),
    });
    this.dropPath = new DropPath(runtime, encoder, options.dropPath);
    if (ema !== undefined) this.average = new ExponentialMovingAverage(this.store, { decay: ema });
  }

  get kind(): string {
    return this.classifier.config.encoder.kind;
  }

  get store() {
    return this.classifier.store;
  }

  /** Augmented clips with their targets, and what stochastic depth is drawn by. */
  inputs({ targets, sampleIndices, ...clips }: LabelledClipBatch, epoch: number) {
    const { classes } = this.classifier.config;
    const samples = [...sampleIndices];
    return {
      video: this.pixels.video(clips),
      targets: { data: targets, shape: [samples.length, classes] },
      ...maskKeyInputs({ seed: this.options.seed, epoch, samples }),
    };
  }

  forward({ video, targets, key, samples }: StepTensors<'video' | 'targets' | 'key' | 'samples'>) {
    const { recompute } = this.options;
    const dropPath = this.dropPath.draw({ key: key.array, samples: samples.array });
    const { logits } = this.classifier.forward({ video: video.array }, { dropPath, recompute });
    const loss = softCrossEntropy(logits, targets.array);
    return { loss, losses: loss.array };
  }

  initialise(): void {
    this.classifier.initialise(this.options.seed);
  }

  /** Runs `body` with the weights that are validated and tested: the averaged ones where there is an average. */
  async withFinalWeights<T>(body: () => Promise<T>): Promise<T> {
    this.average?.swap();
    try {
      return await body();
    } finally {
      this.average?.swap();
    }
  }

  async checkpoint(completedSteps: number): Promise<CheckpointContent> {
    const metadata = describeClassifier(this.description);
    if (this.best !== undefined) metadata[BEST_KEY] = JSON.stringify(this.best);
    return readTraining(this, completedSteps, metadata);
  }

  /** The weights that are validated and tested, and nothing that only training needs. */
  async weights(): Promise<CheckpointContent> {
    const tensors = await this.withFinalWeights(() => readStateDict(this.classifier.store));
    return { tensors, metadata: describeClassifier(this.description) };
  }

  /**
   * Restores a checkpoint.
   *
   * @throws CheckpointMismatchError when it is another model's, CheckpointCorruptError
   */
  restore(path: string, content: CheckpointContent): void {
    restoreTraining(path, content, this);
    const best = content.metadata[BEST_KEY];
    try {
      this.best = best === undefined ? undefined : (JSON.parse(best) as BestEpoch);
    } catch (error) {
      throw new CheckpointCorruptError(path, `${BEST_KEY} is not JSON: ${(error as Error).message}`);
    }
  }
}
