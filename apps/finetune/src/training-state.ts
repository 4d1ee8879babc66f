import { AdamW, Engine, ExponentialMovingAverage, LossScale, readStateDict } from '@tubelet/autograd';
import type { Runtime } from '@tubelet/kernels';
import { Classifier, DropPath, initialiseClassifier, layerDecayGroups } from '@tubelet/mae-dfer';
import { readTraining, restoreTraining, type TrainedParts } from '@tubelet/programs';
import { CheckpointCorruptError, type CheckpointContent } from '@tubelet/trainer';
import { describeClassifier, type ClassifierDescription } from './classifier-file.js';
import type { BestEpoch } from './best-epoch.js';
import type { TrainOptions } from './train-options.js';

const BEST_KEY = 'tubelet.best';

/** A classifier with all that training changes, and the way between that and checkpoints. */
export class ClassifierTraining {
  readonly engine: Engine;
  readonly classifier: Classifier;
  readonly optimiser: AdamW;
  /** Of training in f16; absent in f32. */
  readonly lossScale: LossScale | undefined;
  readonly dropPath: DropPath;
  average: ExponentialMovingAverage | undefined;
  /** The best validation so far. */
  best: BestEpoch | undefined;

  constructor(
    readonly runtime: Runtime,
    readonly description: ClassifierDescription,
    private readonly options: TrainOptions,
  ) {
    this.engine = new Engine(runtime);
    this.classifier = new Classifier(this.engine, description.model);
    const { weightDecay, layerDecay, tokenLayer, precision, clipGradients: maxGradientNorm } = options;
    const { encoder } = description.model;
    this.lossScale = precision === 'f16' ? new LossScale(this.engine, { maxGradientNorm }) : undefined;
    this.optimiser = new AdamW(this.classifier.store, {
      lossScale: this.lossScale,
      groups: layerDecayGroups(this.classifier.store, {
        depth: encoder.depth,
        weightDecay,
        layerDecay,
        representativeTokens: tokenLayer,
      }),
    });
    this.dropPath = new DropPath(runtime, encoder, options.dropPath);
  }

  initialise(): void {
    initialiseClassifier(this.classifier.store, this.options.seed);
  }

  /** Begins the average of the weights, if one is wanted, with the weights as they are now. */
  startAverage(): void {
    const { ema } = this.options;
    if (ema === undefined) return;
    this.average = new ExponentialMovingAverage(this.classifier.store, { decay: ema });
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
    return readTraining(this.parts, completedSteps, metadata);
  }

  /** The weights that are validated and tested, and nothing that only training needs. */
  async weights(): Promise<CheckpointContent> {
    const tensors = await this.withFinalWeights(() => readStateDict(this.classifier.store));
    return { tensors, metadata: describeClassifier(this.description) };
  }

  /** Restores a checkpoint. Throws `CheckpointMismatchError` when it is another model's, `CheckpointCorruptError`. */
  restore(path: string, content: CheckpointContent): void {
    this.startAverage();
    restoreTraining(path, content, this.parts);
    const best = content.metadata[BEST_KEY];
    try {
      this.best = best === undefined ? undefined : (JSON.parse(best) as BestEpoch);
    } catch (error) {
      throw new CheckpointCorruptError(path, `${BEST_KEY} is not JSON: ${(error as Error).message}`);
    }
  }

  private get parts(): TrainedParts {
    const { classifier, optimiser, average, lossScale } = this;
    return { store: classifier.store, optimiser, average, lossScale };
  }
}
