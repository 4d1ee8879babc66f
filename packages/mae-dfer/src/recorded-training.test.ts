import {
  AdamW,
  Engine,
  softCrossEntropy,
  type ParameterStore,
  type StepInput,
  type StepTensors,
  type Tensor,
} from '@tubelet/autograd';
import type { GpuArray } from '@tubelet/kernels';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Classifier } from './classifier.js';
import { lgiFormer, vitBase, type EncoderConfig } from './config.js';
import { DropPath } from './drop-path.js';
import { drawMask, maskKeyInputs, type MaskKey, type MaskKeyOnDevice } from './mask.js';
import { PretrainingModel } from './pretraining-model.js';

const BATCH = 2;
const STEPS = 12;
/** Batches of an optimiser step. */
const ACCUMULATE = 2;
const size = { imageSize: 32, frames: 4, dim: 32, depth: 2, heads: 2 };
const lgi = lgiFormer('tiny', { ...size, region: [1, 2, 2] });
const vit = vitBase(size);

/** How steps are taken: neither changes them. */
interface Manner {
  readonly isRecorded: boolean;
  readonly recompute: boolean;
}

interface Training {
  readonly store: ParameterStore;
  loss(arrays: { readonly frames: GpuArray; readonly key: MaskKey | MaskKeyOnDevice }): Tensor;
  release(): void;
}

/**
 * Training steps that are recorded, and those that besides run blocks again in the backward pass, give the bits of
 * those that do neither. The first of a kind runs as it is, the second is recorded, and the others are replayed.
 */
describe('a recorded or recomputed step of', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = new Engine(await openNodeRuntime());
  });
  afterAll(() => closeNodeRuntime(engine.runtime));

  const pretraining = (encoder: EncoderConfig, recompute: boolean): Training => {
    const model = new PretrainingModel(engine, {
      encoder,
      decoder: { dim: 32, depth: 2, heads: 2 },
      decoderPositions: 'token',
    });
    model.initialise(7);
    return {
      store: model.store,
      loss: ({ frames, key }) =>
        model.forward({ frames }, drawMask(engine.runtime, encoder, 0.5, key), { recompute }).loss,
      release: () => model.release(),
    };
  };

  const fineTuning = (encoder: EncoderConfig, recompute: boolean): Training => {
    const pooling = encoder.kind === 'vit' ? 'original' : 'representative';
    const model = new Classifier(engine, { encoder, classes: 3, pooling });
    const dropPath = new DropPath(engine.runtime, encoder, 0.5);
    const { runtime } = engine;
    const labels = runtime.keep(runtime.upload(Float32Array.of(0.8, 0.1, 0.1, 0.1, 0.1, 0.8), [BATCH, 3]));
    model.initialise(7);
    return {
      store: model.store,
      loss: ({ frames, key }) =>
        softCrossEntropy(
          model.forward({ frames }, { dropPath: dropPath.draw(key), recompute }).logits,
          labels,
        ),
      release: () => {
        model.release();
        dropPath.release();
        runtime.release(labels);
      },
    };
  };

  /** The inputs of a step: other clips, samples and epochs each time. */
  function batch(step: number): { readonly frames: StepInput; readonly key: MaskKey } {
    const shape = [BATCH, size.frames, size.imageSize, size.imageSize, 3];
    const length = shape.reduce((product, extent) => product * extent, 1);
    const data = Uint8Array.from({ length }, (_, i) => ((i + 31 * step) * 89) % 251);
    return {
      frames: { data, shape },
      key: { seed: 5, epoch: Math.floor(step / 4), samples: [step, 100 + step] },
    };
  }

  async function train(
    make: (encoder: EncoderConfig, recompute: boolean) => Training,
    encoder: EncoderConfig,
    { isRecorded, recompute }: Manner,
  ) {
    const { runtime } = engine;
    const training = make(encoder, recompute);
    const optimiser = new AdamW(training.store, { weightDecay: 0.05 });
    const recorded = ({ frames, key, samples }: StepTensors<'frames' | 'key' | 'samples'>) => {
      const onDevice = { key: key.array, samples: samples.array };
      const loss = training.loss({ frames: frames.array, key: onDevice });
      loss.backward();
      return { loss, norm: optimiser.gradientNorm() };
    };
    const seen: number[] = [];
    for (let step = 0; step < STEPS; step++) {
      const { frames, key } = batch(step);
      if (isRecorded) {
        const inputs = { frames, ...maskKeyInputs(key) };
        const { loss, norm } = await engine.step(recorded, { inputs, record: true });
        seen.push(await loss.item(), ...(await runtime.read(norm)));
      } else {
        await engine.step(async () => {
          const loss = training.loss({ frames: runtime.upload(frames.data, frames.shape), key });
          loss.backward();
          const norm = runtime.read(optimiser.gradientNorm());
          seen.push(await loss.item(), ...(await norm));
        });
      }
      if (step % ACCUMULATE === ACCUMULATE - 1) optimiser.step({ learningRate: 1e-3 });
    }
    const weights = await runtime.read(training.store.banks[0]!.values);
    expect(engine.recordings, 'one that overwrites gradients, one that adds').toBe(isRecorded ? 2 : 0);
    engine.release(recorded);
    optimiser.release();
    training.release();
    return { seen, weights };
  }

  it.each([
    ['pre-training', pretraining, lgi],
    ['fine-tuning with drop path', fineTuning, lgi],
    ['fine-tuning of a ViT with drop path', fineTuning, vit],
  ])('%s', async (_, make, encoder) => {
    const plain = await train(make, encoder, { isRecorded: false, recompute: false });
    expect(plain.seen.every(Number.isFinite)).toBe(true);
    expect(new Set(plain.seen).size, 'every step is another').toBeGreaterThan(2 * STEPS);
    for (const manner of [
      { isRecorded: true, recompute: false },
      { isRecorded: true, recompute: true },
    ]) {
      const { seen, weights } = await train(make, encoder, manner);
      const said = JSON.stringify(manner);
      expect(seen, said).toEqual(plain.seen);
      expect(Buffer.from(weights.buffer).equals(Buffer.from(plain.weights.buffer)), said).toBe(true);
    }
  });
});
