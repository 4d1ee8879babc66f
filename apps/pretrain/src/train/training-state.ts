import { AdamW, Engine, LossScale, type StepTensors } from '@tubelet/autograd';
import type { Runtime } from '@tubelet/kernels';
import {
  decoderFromJson,
  drawMask,
  encoderFromJson,
  maskKeyInputs,
  PretrainingModel,
  type PretrainingConfig,
} from '@tubelet/mae-dfer';
import { readTraining, restoreTraining, UserError, type TrainedModel } from '@tubelet/trainer';
import { CheckpointCorruptError, type CheckpointContent } from '@tubelet/trainer/formats';
import { ClipPixels, CROP_MODES, type ClipBatch } from '@tubelet/video';
import type { TrainOptions } from './train-options.js';

/** Decay rates of AdamW's moments in pre-training. */
const BETAS = [0.9, 0.95] as const;

const CONFIG_KEY = 'tubelet.pretraining.config';
const LOSS_WEIGHT_KEY = 'tubelet.pretraining.lossWeight';
const CLIPS_KEY = 'tubelet.pretraining.clips';

/** How the clips of a training were cut out of videos; those of shards, out of the videos that these were made of. */
export type TrainedClips = Pick<TrainOptions, 'frameStep' | 'crop'>;

/** Options that decide what a step does. */
export type StateOptions = Pick<
  TrainOptions,
  'weightDecay' | 'precision' | 'maskRatio' | 'lossWeight' | 'seed'
> &
  Partial<TrainedClips> & { readonly recompute?: boolean };

/** A masked autoencoder with its optimiser, and the way between them and checkpoints. */
export class TrainingState implements TrainedModel<ClipBatch> {
  readonly losses: readonly string[];
  readonly engine: Engine;
  readonly model: PretrainingModel;
  readonly optimiser: AdamW;
  readonly lossScale: LossScale;
  private readonly pixels: ClipPixels;

  constructor(
    runtime: Runtime,
    config: PretrainingConfig,
    private readonly options: StateOptions,
  ) {
    const parts = config.target === 'pixels' ? ['first frames', 'second frames'] : ['appearance', 'motion'];
    this.losses = ['loss', ...parts.map((part) => `loss/${part}`)];
    this.engine = new Engine(runtime);
    this.model = new PretrainingModel(this.engine, config);
    this.pixels = new ClipPixels(runtime, config.encoder.imageSize);
    this.lossScale = new LossScale(this.engine, { dynamic: options.precision === 'f16' });
    this.optimiser = new AdamW(this.model.store, {
      betas: BETAS,
      lossScale: this.lossScale,
      weightDecay: options.weightDecay,
    });
  }

  get kind(): string {
    return this.model.config.encoder.kind;
  }

  get store() {
    return this.model.store;
  }

  /** Cropped clips, and what the mask of each is drawn by. */
  inputs({ clips, boxes, sampleIndices }: ClipBatch, epoch: number) {
    const samples = [...sampleIndices];
    return {
      frames: this.pixels.frames(clips, boxes),
      ...maskKeyInputs({ seed: this.options.seed, epoch, samples }),
    };
  }

  forward({ frames, key, samples }: StepTensors<'frames' | 'key' | 'samples'>) {
    const { maskRatio, lossWeight: appearanceWeight, recompute } = this.options;
    const drawnBy = { key: key.array, samples: samples.array };
    const mask = drawMask(this.engine.runtime, this.model.config.encoder, maskRatio, drawnBy);
    const { loss, parts } = this.model.forward({ frames: frames.array }, mask, {
      appearanceWeight,
      recompute,
    });
    return { loss, losses: parts };
  }

  initialise(): void {
    this.model.initialise(this.options.seed);
  }

  /**
   * Weights under their published names, moments under the same names with a prefix, the counter, and the state of the
   * loss scale.
   */
  checkpoint(completedSteps: number): Promise<CheckpointContent> {
    return readTraining(this, completedSteps, {
      [CONFIG_KEY]: JSON.stringify(this.model.config),
      [LOSS_WEIGHT_KEY]: String(this.options.lossWeight),
      ...this.clips(),
    });
  }

  private clips(): Record<string, string> {
    const { frameStep, crop } = this.options;
    return frameStep === undefined ? {} : { [CLIPS_KEY]: JSON.stringify({ frameStep, crop }) };
  }

  /**
   * Restores weights, moments, counter and loss scale.
   *
   * @throws CheckpointMismatchError when they are another model's, CheckpointCorruptError when the counter or the
   *   state of the loss scale is missing
   */
  restore(path: string, content: CheckpointContent): void {
    restoreTraining(path, content, this);
  }
}

/**
 * The model configuration that a checkpoint was made with.
 *
 * @throws UserError when it has none, CheckpointCorruptError when it is damaged
 */
export function checkpointConfig(path: string, { metadata }: CheckpointContent): PretrainingConfig {
  const text = metadata[CONFIG_KEY];
  if (text === undefined) {
    throw new UserError(
      `${path} is not a checkpoint of pre-training: it names no model. Give one that \`tubelet pretrain\` wrote.`,
    );
  }
  try {
    const config = JSON.parse(text) as PretrainingConfig;
    encoderFromJson(config.encoder);
    decoderFromJson(config.decoder);
    return config;
  } catch (error) {
    throw new CheckpointCorruptError(path, `${CONFIG_KEY} is damaged: ${(error as Error).message}`);
  }
}

/** What a model was not trained to predict, by the loss weight in its checkpoint; undefined if it was trained on both. */
export function untrainedPart({ metadata }: CheckpointContent): 'appearance' | 'motion' | undefined {
  const lossWeight = metadata[LOSS_WEIGHT_KEY];
  if (lossWeight === undefined) return undefined;
  return { 0: 'appearance' as const, 1: 'motion' as const }[Number(lossWeight)];
}

/**
 * How the clips of a training were cut out of videos; undefined for checkpoints that do not say.
 *
 * @throws CheckpointCorruptError where it is damaged
 */
export function trainedClips(path: string, { metadata }: CheckpointContent): TrainedClips | undefined {
  const text = metadata[CLIPS_KEY];
  if (text === undefined) return undefined;
  try {
    const { frameStep, crop } = JSON.parse(text) as TrainedClips;
    if (!Number.isInteger(frameStep) || frameStep < 1 || !CROP_MODES.includes(crop))
      throw new TypeError(text);
    return { frameStep, crop };
  } catch (error) {
    throw new CheckpointCorruptError(path, `${CLIPS_KEY} is damaged: ${(error as Error).message}`);
  }
}
