import { AdamW, softCrossEntropy, type Engine, type ParameterStore, type Tensor } from '@tubelet/autograd';
import { product, type Runtime } from '@tubelet/kernels';
import {
  Classifier,
  decayGroups,
  drawMask,
  layerDecayGroups,
  lgiFormer,
  paperDecoder,
  PretrainingModel,
  vitBase,
  type ClipBatch,
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

const MASK_RATIO = 0.9;
const CLASSES = 7;

/** A model with its optimiser and data, ready to run any part of a step. */
export interface Workload {
  /** Records one step on the GPU without waiting; gives the loss. */
  record(phase: Phase): Tensor;
  release(): void;
}

/** Builds the model for a task with arbitrary weights: they change the loss, not the time. */
export function buildWorkload(
  engine: Engine,
  encoder: EncoderConfig,
  { task, batchSize }: { task: Task; batchSize: number },
): Workload {
  const isPretraining = task === 'pretrain';
  return isPretraining ? pretraining(engine, encoder, batchSize) : fineTuning(engine, encoder, batchSize);
}

function pretraining(engine: Engine, encoder: EncoderConfig, batchSize: number): Workload {
  const model = new PretrainingModel(engine, { encoder, decoder: paperDecoder, decoderPositions: 'token' });
  const samples = Array.from({ length: batchSize }, (_, i) => i);
  const clips = clipSource(engine.runtime, encoder, batchSize);
  let epoch = 0;
  const forward = () => {
    const mask = drawMask(engine.runtime, encoder, MASK_RATIO, { seed: 0, epoch: epoch++, samples });
    return model.forward(clips(), mask).loss;
  };
  const optimiser = new AdamW(model.store, { groups: decayGroups(model.store, 0.05), betas: [0.9, 0.95] });
  return workload(engine, model, optimiser, forward);
}

function fineTuning(engine: Engine, encoder: EncoderConfig, batchSize: number): Workload {
  const pooling = encoder.kind === 'vit' ? 'original' : 'representative';
  const model = new Classifier(engine, { encoder, classes: CLASSES, pooling });
  const clips = clipSource(engine.runtime, encoder, batchSize);
  const labels = new Float32Array(batchSize * CLASSES).fill(1 / CLASSES);
  const forward = () => {
    const { logits } = model.forward(clips());
    return softCrossEntropy(logits, engine.runtime.upload(labels, [batchSize, CLASSES], 'f32', 'labels'));
  };
  const groups = layerDecayGroups(model.store, { depth: encoder.depth, weightDecay: 0.05, layerDecay: 0.75 });
  return workload(engine, model, new AdamW(model.store, { groups }), forward);
}

function workload(
  engine: Engine,
  model: { readonly store: ParameterStore; release(): void },
  optimiser: AdamW,
  forward: () => Tensor,
): Workload {
  fillWithNoise(model.store);
  return {
    record(phase) {
      if (phase === 'forward') return engine.noGrad(forward);
      const loss = engine.retain(forward());
      engine.backward(loss);
      if (phase === 'step') optimiser.step({ learningRate: 1e-6 });
      else model.store.zeroGradients();
      return loss;
    },
    release() {
      optimiser.release();
      model.release();
    },
  };
}

/** Gives a function that uploads the same clips each time it is called. */
function clipSource(
  runtime: Runtime,
  { frames, imageSize }: EncoderConfig,
  batchSize: number,
): () => ClipBatch {
  const shape = [batchSize, frames, imageSize, imageSize, 3];
  const data = Uint8Array.from({ length: product(shape) }, (_, i) => (i * 89) % 251);
  return () => ({ frames: runtime.upload(data, shape, 'u8', 'clips') });
}

/** Small values of both signs; a model of this size takes seconds to initialise properly. */
function fillWithNoise({ engine, banks }: ParameterStore): void {
  for (const { values, size } of banks) {
    const data = Float32Array.from({ length: size }, (_, i) => 4e-4 * ((i * 61) % 101) - 0.02);
    engine.runtime.write(values, data);
  }
}
