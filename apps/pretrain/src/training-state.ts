import { AdamW, Engine } from '@tubelet/autograd';
import type { Runtime } from '@tubelet/kernels';
import {
  decayGroups,
  initialisePretraining,
  PretrainingModel,
  type PretrainingConfig,
} from '@tubelet/mae-dfer';
import { readTraining, restoreTraining } from '@tubelet/programs';
import { UserError, type CheckpointContent } from '@tubelet/trainer';

/** Decay rates of AdamW's moments in pre-training. */
const BETAS = [0.9, 0.95] as const;

const CONFIG_KEY = 'tubelet.pretraining.config';

/** A model with its optimiser, and the way between them and checkpoints. */
export class TrainingState {
  readonly engine: Engine;
  readonly model: PretrainingModel;
  readonly optimiser: AdamW;

  constructor(
    readonly runtime: Runtime,
    config: PretrainingConfig,
    { weightDecay }: { weightDecay: number },
  ) {
    this.engine = new Engine(runtime);
    this.model = new PretrainingModel(this.engine, config);
    this.optimiser = new AdamW(this.model.store, {
      betas: BETAS,
      groups: decayGroups(this.model.store, weightDecay),
    });
  }

  initialise(seed: number): void {
    initialisePretraining(this.model.store, seed);
  }

  /** Weights under their published names, moments under the same names with a prefix, and the counter. */
  checkpoint(completedSteps: number): Promise<CheckpointContent> {
    const config = { [CONFIG_KEY]: JSON.stringify(this.model.config) };
    return readTraining({ store: this.model.store, optimiser: this.optimiser }, completedSteps, config);
  }

  /**
   * Restores weights, moments and counter. Throws `CheckpointMismatchError` when they are another model's,
   * `CheckpointCorruptError` when the counter is missing.
   */
  restore(path: string, content: CheckpointContent): void {
    restoreTraining(path, content, { store: this.model.store, optimiser: this.optimiser });
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
