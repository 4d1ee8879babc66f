import {
  AdamW,
  LossScale,
  softCrossEntropy,
  type AdamWOptions,
  type Engine,
  type ParameterStore,
  type StepInput,
  type StepTensors,
  type Tensor,
} from '@tubelet/autograd';
import { product } from '@tubelet/kernels';
import type { SteppedModel } from '@tubelet/trainer';
import {
  Classifier,
  drawMask,
  lgiFormer,
  maskKeyInputs,
  paperDecoder,
  PretrainingModel,
  vitBase,
  type EncoderConfig,
} from '@tubelet/mae-dfer';

/** The models that `bench:model` knows. */
export const encoders = {
  tiny: lgiFormer('tiny'),
  small: lgiFormer('small'),
  base: lgiFormer('base'),
  'vit-base': vitBase(),
} as const satisfies Record<string, EncoderConfig>;

export type ModelName = keyof typeof encoders;
export type Task = 'pretrain' | 'finetune';

/** How much of a training step runs. */
export const phases = ['forward', 'forward+backward', 'step'] as const;
export type Phase = (typeof phases)[number];

export const MASK_RATIO = 0.9;
const CLASSES = 7;

/** A model with its optimiser and data, ready to run any part of a step. */
export interface Workload {
  /** Trained values. */
  readonly parameterCount: number;
  /** Records one step on the GPU without waiting; gives the loss. */
  record(phase: Phase): Tensor;
  /** The same as a recorded step, from its third call on without deciding anything; records before it returns. */
  replay(phase: Phase): Promise<Tensor>;
  /** The same model for the trainer's own steps, which take these clips whatever the batch. */
  readonly trained: SteppedModel<number>;
  /** Steps that were skipped so far, whose AdamW did nothing. Waits for the GPU. */
  skippedSteps(): Promise<number>;
  release(): void;
}

/** The loss of a batch, and the batch. */
interface Forward<Name extends string> {
  inputs(): Record<Name, StepInput>;
  loss(batch: StepTensors<Name>): Tensor;
}

/** A step of a model. */
export interface ModelRun {
  readonly encoder: EncoderConfig;
  readonly task: Task;
  readonly batchSize: number;
  /** Blocks run again in the backward pass instead of keeping what they make. */
  readonly recompute?: boolean;
}

export interface WorkloadOptions extends Pick<ModelRun, 'task' | 'batchSize' | 'recompute'> {
  /** Default: small values of both signs, which change the loss, not the time; where nothing runs, zeros do. */
  readonly weights?: 'noise' | 'zeros';
}

/** Builds the model for a task. */
export function buildWorkload(engine: Engine, encoder: EncoderConfig, options: WorkloadOptions): Workload {
  return options.task === 'pretrain'
    ? pretraining(engine, encoder, options)
    : fineTuning(engine, encoder, options);
}

function pretraining(engine: Engine, encoder: EncoderConfig, options: WorkloadOptions): Workload {
  const { batchSize, recompute } = options;
  const model = new PretrainingModel(engine, { encoder, decoder: paperDecoder, decoderPositions: 'token' });
  const samples = Array.from({ length: batchSize }, (_, i) => i);
  const frames = clips(encoder, batchSize);
  let epoch = 0;
  const forward: Forward<'frames' | 'key' | 'samples'> = {
    inputs: () => ({ frames, ...maskKeyInputs({ seed: 0, epoch: epoch++, samples }) }),
    loss: ({ frames, key, samples }) => {
      const drawnBy = { key: key.array, samples: samples.array };
      const mask = drawMask(engine.runtime, encoder, MASK_RATIO, drawnBy);
      return model.forward({ frames: frames.array }, mask, { recompute }).loss;
    },
  };
  return workload(engine, model, { weightDecay: 0.05, betas: [0.9, 0.95] }, forward, options);
}

function fineTuning(engine: Engine, encoder: EncoderConfig, options: WorkloadOptions): Workload {
  const { batchSize, recompute } = options;
  const pooling = encoder.kind === 'vit' ? 'original' : 'representative';
  const model = new Classifier(engine, { encoder, classes: CLASSES, pooling });
  const frames = clips(encoder, batchSize);
  const labels: StepInput = {
    data: new Float32Array(batchSize * CLASSES).fill(1 / CLASSES),
    shape: [batchSize, CLASSES],
  };
  const forward: Forward<'frames' | 'labels'> = {
    inputs: () => ({ frames, labels }),
    loss: ({ frames, labels }) =>
      softCrossEntropy(model.forward({ frames: frames.array }, { recompute }).logits, labels.array),
  };
  const groups = model.learningRateGroups({ layerDecay: 0.75 });
  return workload(engine, model, { weightDecay: 0.05, groups }, forward, options);
}

function workload<Name extends string>(
  engine: Engine,
  model: { readonly store: ParameterStore; release(): void },
  optimiserOptions: AdamWOptions,
  { inputs, loss }: Forward<Name>,
  { weights = 'noise' }: WorkloadOptions,
): Workload {
  const { runtime } = engine;
  const { store } = model;
  // As in training, where the GPU decides whether a step counts.
  const lossScale = new LossScale(engine, { dynamic: runtime.precision === 'f16' });
  const optimiser = new AdamW(store, { ...optimiserOptions, lossScale });
  if (weights === 'noise') fillWithNoise(store);
  const forward = (batch: StepTensors<Name>) => engine.noGrad(() => loss(batch));
  const forwardBackward = (batch: StepTensors<Name>) => {
    const value = loss(batch);
    value.backward({ lossScale });
    return value;
  };
  const finish = (phase: Phase) => {
    if (phase === 'step') optimiser.step({ learningRate: 1e-6 });
    else store.zeroGradients();
  };
  return {
    parameterCount: store.count,
    record(phase) {
      const tensors = {} as Record<Name, Tensor>;
      const batch = inputs();
      for (const name in batch) tensors[name] = engine.tensor(batch[name].data, batch[name].shape);
      const value = phase === 'forward' ? forward(tensors) : forwardBackward(tensors);
      finish(phase);
      return value;
    },
    replay(phase) {
      const body = phase === 'forward' ? forward : forwardBackward;
      const value = engine.step(body, { inputs: inputs(), record: true });
      finish(phase);
      return value;
    },
    trained: {
      ...{ engine, store, optimiser, lossScale, losses: ['loss'] },
      inputs,
      forward(batch) {
        const value = loss(batch as StepTensors<Name>);
        return { loss: value, losses: value.array };
      },
    },
    skippedSteps: async () => (await lossScale.read()).skippedSteps,
    release() {
      engine.release(forward);
      engine.release(forwardBackward);
      optimiser.release();
      lossScale.release();
      model.release();
    },
  };
}

/** The same clips in every step. */
function clips({ frames, imageSize }: EncoderConfig, batchSize: number): StepInput {
  const shape = [batchSize, frames, imageSize, imageSize, 3];
  const data = new Uint8Array(product(shape));
  for (let i = 0; i < data.length; i++) data[i] = (i * 89) % 251;
  return { data, shape };
}

/** Small values of both signs; a model of this size takes seconds to initialise properly. */
function fillWithNoise({ engine, banks, twin }: ParameterStore): void {
  for (const { values, size } of banks) {
    const data = Float32Array.from({ length: size }, (_, i) => 4e-4 * ((i * 61) % 101) - 0.02);
    engine.runtime.write(values, data);
  }
  twin.invalidate();
}
