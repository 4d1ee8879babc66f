import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import type { Precision, Runtime } from '@tubelet/kernels';
import { lgiFormer } from '@tubelet/mae-dfer';
import type { EpochSource } from '@tubelet/trainer';
import type { CheckpointContent } from '@tubelet/trainer/formats';
import { alikeFrames, drawAugmentation, NO_MIX, type LabelledClipBatch } from '@tubelet/video';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trainOn, type Trained } from '../../../../packages/trainer/src/testing/train-on.js';
import { tinyDescription } from '../testing/tiny-classifier.js';
import type { RunOptions } from './train-options.js';
import { ClassifierTraining } from './training-state.js';

const BATCHES_PER_EPOCH = 6;
const ACCUMULATE = 2;
const SIZE = 32;
const FRAMES = 4;
const CLASSES = 3;
const CLIPS = 6;
// Of the size that other tests train: a software driver has compiled its kernels already.
const encoder = lgiFormer('tiny', {
  imageSize: 32,
  frames: 4,
  dim: 32,
  depth: 1,
  heads: 1,
  region: [1, 2, 2],
});

/** Waves of a frequency for each class, the same ones in every epoch. */
const source: EpochSource<LabelledClipBatch> = {
  stepsPerEpoch: BATCHES_PER_EPOCH,
  async *epoch(epoch, { startStep = 0 }) {
    for (let step = startStep; step < BATCHES_PER_EPOCH; step++) {
      const labels = Uint32Array.from({ length: CLIPS }, (_, i) => (step + i) % CLASSES);
      const clips = [...labels].map((label) => ({
        bytes: Uint8Array.from({ length: FRAMES * SIZE * SIZE * 3 }, (_, i) => {
          return 128 + 60 * Math.sin((0.2 + 0.3 * label) * i + step);
        }),
        frames: alikeFrames({ width: SIZE, height: SIZE }, 0, FRAMES),
      }));
      const augmentations = clips.map((_, sample) =>
        drawAugmentation(
          SIZE,
          { seed: 0, epoch, sample },
          { randAugment: false, crop: false, erasing: false },
        ),
      );
      const targets = [...labels].flatMap((label) =>
        Array.from({ length: CLASSES }, (_, i) => (i === label ? 0.9 : 0.05)),
      );
      yield {
        ...{ clips, augmentations, mix: NO_MIX, targets: Float32Array.from(targets), labels },
        sampleIndices: Uint32Array.from(labels, (_, i) => CLIPS * step + i),
        ...{ names: [], frameIndices: [], epoch, step },
      };
    }
  },
};

let runtime: Runtime;
beforeAll(async () => void (runtime = await openNodeRuntime()));
afterAll(() => closeNodeRuntime(runtime));

const SETTINGS = {
  ...{
    accumulate: ACCUMULATE,
    weightDecay: 0.05,
    layerDecay: 0.75,
    tokenLayer: 'last',
    dropPath: 0.3,
    seed: 0,
  },
  ...{ ema: 0.9, clipGradients: 0.5 },
};

/** Trains from the first step or a checkpoint up to `until`. Whether variants round does not matter to the scale. */
async function train(
  precision: Precision,
  until: number,
  { from, at }: { readonly from?: CheckpointContent; readonly at?: number } = {},
): Promise<Trained> {
  const options = { ...SETTINGS, precision } as unknown as RunOptions;
  const training = new ClassifierTraining(runtime, tinyDescription({ encoder }), options);
  if (from) training.restore('from.safetensors', from);
  else {
    training.initialise();
    training.average!.initialise();
  }
  return trainOn(training, source, { accumulate: ACCUMULATE, at, until, lr: 0.003 });
}

/** The values of a checkpoint by name. */
const tensors = ({ tensors: all }: CheckpointContent) =>
  new Map([...all].map(([name, { data }]) => [name, data as Float32Array] as const));

describe('fine-tuning under a loss scale', () => {
  it('follows fine-tuning without, where nothing rounds, with gradients clipped and weights averaged', async () => {
    const [plain, scaled] = [await train('f32', 6), await train('f16', 6)];
    for (const [i, metrics] of scaled.metrics.entries()) {
      const expected = plain.metrics[i]!;
      expect(metrics.loss! / expected.loss!, `loss of step ${i}`).toBeCloseTo(1, 4);
      expect(metrics['gradient norm']! / expected['gradient norm']!).toBeCloseTo(1, 3);
      expect(metrics).toMatchObject({ 'loss scale': 65536, 'skipped steps': 0, lr: 0.003 });
    }
    expect(plain.metrics.some((metrics) => metrics['gradient norm']! > SETTINGS.clipGradients)).toBe(true);
    const expected = tensors(plain.content);
    for (const [name, values] of tensors(scaled.content)) {
      if (name.startsWith('exp_avg')) continue;
      const off = values.map((value, i) => Math.abs(value - expected.get(name)![i]!));
      expect(Math.max(...off), name).toBeLessThan(1e-4);
    }
  });

  it('follows f32 with activations stored in f16, and goes on from a checkpoint to the same bytes', async ({
    skip,
  }) => {
    skip(!runtime.hasFeature('shader-f16'), 'this device has no f16');
    const full = await train('f32', 6);
    runtime.precision = 'f16';
    try {
      const whole = await train('f16', 6);
      whole.metrics.forEach(({ loss }, i) => expect(loss! / full.metrics[i]!.loss!).toBeCloseTo(1, 2));
      const part = await train('f16', 3);
      const rest = await train('f16', 6, { from: part.content, at: 3 });
      expect(rest.content).toEqual(whole.content);
      expect(tensors(whole.content)).not.toEqual(tensors(full.content));
    } finally {
      runtime.precision = 'f32';
    }
  });

  it('leaves weights, moments and average in a skipped step, and goes on from it to the same bytes', async () => {
    const { content } = await train('f16', 0);
    // A scale so large that the first steps overflow f32.
    const state = { scale: 2 ** 70, goodSteps: 0, takenSteps: 0, skippedSteps: 0 };
    const begin = {
      ...content,
      metadata: { ...content.metadata, 'tubelet.loss-scale': JSON.stringify(state) },
    };
    const skipped = await train('f16', 1, { from: begin });
    expect(skipped.metrics[0]).toMatchObject({ 'skipped steps': 1, 'gradient norm': Infinity });
    expect(tensors(skipped.content)).toEqual(tensors(begin));

    const whole = await train('f16', 12, { from: begin });
    expect(whole.metrics.at(-1)!['skipped steps']).toBeLessThan(12);
    expect(tensors(whole.content)).not.toEqual(tensors(begin));
    for (const at of [1, 9]) {
      const part = await train('f16', at, { from: begin });
      const rest = await train('f16', 12, { from: part.content, at });
      expect(rest.content, `stopped after step ${at}`).toEqual(whole.content);
    }
  });
});
