import { AdamW, Engine, readStateDict, type SafetensorsTensor } from '@tubelet/autograd';
import {
  decayGroups,
  initialisePretraining,
  PretrainingModel,
  type PretrainingConfig,
} from '@tubelet/mae-dfer';
import { CheckpointCorruptError, requireTensors, UserError, type CheckpointContent } from '@tubelet/trainer';
import type { Runtime } from '@tubelet/kernels';

/** Decay rates of AdamW's moments in pre-training. */
const BETAS = [0.9, 0.95] as const;

const FIRST_MOMENT = 'exp_avg.';
const SECOND_MOMENT = 'exp_avg_sq.';
const CONFIG_KEY = 'tubelet.pretraining.config';
const STEP_KEY = 'tubelet.step';

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
  async checkpoint(completedSteps: number): Promise<CheckpointContent> {
    const tensors = await readStateDict(this.model.store);
    const shapes = new Map([...tensors].map(([name, { shape }]) => [name, shape]));
    for (const [name, moments] of await this.optimiser.state()) {
      const shape = shapes.get(name)!;
      tensors.set(FIRST_MOMENT + name, { dtype: 'F32', shape, data: moments.firstMoment });
      tensors.set(SECOND_MOMENT + name, { dtype: 'F32', shape, data: moments.secondMoment });
    }
    const metadata = { [CONFIG_KEY]: JSON.stringify(this.model.config), [STEP_KEY]: String(completedSteps) };
    return { tensors, metadata };
  }

  /**
   * Restores weights, moments and counter. Throws `CheckpointMismatchError` when they are another model's,
   * `CheckpointCorruptError` when the counter is missing.
   */
  restore(path: string, { tensors, metadata }: CheckpointContent): void {
    const expected = new Map<string, Pick<SafetensorsTensor, 'dtype' | 'shape'>>();
    for (const [name, { shape }] of this.model.store.parameters) {
      for (const prefix of ['', FIRST_MOMENT, SECOND_MOMENT]) {
        expected.set(prefix + name, { dtype: 'F32', shape: [...shape] });
      }
    }
    requireTensors(path, tensors, expected);
    const step = Number(metadata[STEP_KEY] ?? NaN);
    if (!Number.isSafeInteger(step) || step < 0) {
      throw new CheckpointCorruptError(
        path,
        `it does not say after how many steps it was written (${STEP_KEY})`,
      );
    }
    const values = (key: string) => tensors.get(key)!.data as Float32Array;
    const moments = new Map<string, { firstMoment: Float32Array; secondMoment: Float32Array }>();
    for (const [name, parameter] of this.model.store.parameters) {
      parameter.write(values(name));
      moments.set(name, {
        firstMoment: values(FIRST_MOMENT + name),
        secondMoment: values(SECOND_MOMENT + name),
      });
    }
    this.optimiser.restore(moments, step);
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

/** The weights of a checkpoint, without the optimiser's moments. */
export function checkpointWeights({ tensors }: CheckpointContent): Map<string, SafetensorsTensor> {
  return new Map(
    [...tensors].filter(([name]) => !name.startsWith(FIRST_MOMENT) && !name.startsWith(SECOND_MOMENT)),
  );
}
