import { AdamW, Engine, LossScale } from '@tubelet/autograd';
import type { Precision, Runtime } from '@tubelet/kernels';
import {
  decayGroups,
  initialisePretraining,
  PretrainingModel,
  type PretrainingConfig,
} from '@tubelet/mae-dfer';
import { readTraining, restoreTraining, type TrainedParts } from '@tubelet/programs';
import { UserError, type CheckpointContent } from '@tubelet/trainer';

/** Decay rates of AdamW's moments in pre-training. */
const BETAS = [0.9, 0.95] as const;

const CONFIG_KEY = 'tubelet.pretraining.config';

/** A model with its optimiser, and the way between them and checkpoints. */
export class TrainingState {
  readonly engine: Engine;
  readonly model: PretrainingModel;
  readonly optimiser: AdamW;
  /** Of training in f16; absent in f32. */
  readonly lossScale: LossScale | undefined;

  constructor(
    readonly runtime: Runtime,
    config: PretrainingConfig,
    { weightDecay, precision = 'f32' }: { weightDecay: number; precision?: Precision },
  ) {
    this.engine = new Engine(runtime);
    this.model = new PretrainingModel(this.engine, config);
    this.lossScale = precision === 'f16' ? new LossScale(this.engine) : undefined;
    this.optimiser = new AdamW(this.model.store, {
      betas: BETAS,
      lossScale: this.lossScale,
      groups: decayGroups(this.model.store, weightDecay),
    });
  }

  initialise(seed: number): void {
    initialisePretraining(this.model.store, seed);
  }

  /**
   * Weights under their published names, moments under the same names with a prefix, the counter, and the state of the
   * loss scale.
   */
  checkpoint(completedSteps: number): Promise<CheckpointContent> {
    const config = { [CONFIG_KEY]: JSON.stringify(this.model.config) };
    return readTraining(this.parts, completedSteps, config);
  }

  /**
   * Restores weights, moments, counter and loss scale. Throws `CheckpointMismatchError` when they are another model's,
   * `CheckpointCorruptError` when the counter or the state of the loss scale is missing.
   */
  restore(path: string, content: CheckpointContent): void {
    restoreTraining(path, content, this.parts);
  }

  private get parts(): TrainedParts {
    return { store: this.model.store, optimiser: this.optimiser, lossScale: this.lossScale };
  }
}

/** The model configuration that a checkpoint was made with. Throws `UserError` when it has none. */
export function checkpointConfig(path: string, { metadata }: CheckpointContent): PretrainingConfig {
  const text = metadata[CONFIG_KEY];
  if (text === undefined) {
    throw new UserError(
      `${path} is not a checkpoint of pre-training: it names no model. Give one that \`train\` wrote.`,
    );
  }
  return JSON.parse(text) as PretrainingConfig;
}
