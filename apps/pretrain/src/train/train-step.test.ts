import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Precision, Runtime } from '@tubelet/kernels';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { lgiFormer, type PretrainingConfig } from '@tubelet/mae-dfer';
import { TrainingDivergedError, type EpochSource, type Metrics } from '@tubelet/trainer';
import type { CheckpointContent } from '@tubelet/trainer/formats';
import { alikeFrames, type ClipBatch } from '@tubelet/video';
import { trainOn, type Trained } from '../../../../packages/trainer/src/testing/train-on.js';
import { TrainingState } from './training-state.js';

const BATCHES_PER_EPOCH = 6;
const ACCUMULATE = 2;
const clip = { imageSize: 32, frames: 4, depth: 1, heads: 1, dim: 32, region: [2, 2, 2] as const };
const config: PretrainingConfig = {
  encoder: lgiFormer('tiny', clip),
  decoder: { dim: 32, depth: 1, heads: 1 },
  decoderPositions: 'token',
};
const CLIP = 4 * 32 * 32 * 3;
const settings = { maskRatio: 0.5, lossWeight: 0.5, weightDecay: 0.05, seed: 0 };

/** Ramps of two kinds in every batch, the same ones in every epoch. */
const source: EpochSource<ClipBatch> = {
  stepsPerEpoch: BATCHES_PER_EPOCH,
  async *epoch(epoch, { startStep = 0 }) {
    for (let step = startStep; step < BATCHES_PER_EPOCH; step++) {
      const samples = [2 * step, 2 * step + 1];
      const clips = samples.map((_, clip) => ({
        bytes: Uint8Array.from(
          { length: CLIP },
          (__, i) => 60 + ((((clip * CLIP + i) >> 5) + 7 * step) % 90),
        ),
        frames: alikeFrames({ width: 32, height: 32 }, 0, 4),
      }));
      yield {
        ...{ clips, boxes: [], sampleIndices: Uint32Array.from(samples), names: [], labels: [] },
        ...{ frameIndices: [], epoch, step },
      };
    }
  },
};

let runtime: Runtime;
beforeAll(async () => void (runtime = await openNodeRuntime()));
afterAll(() => closeNodeRuntime(runtime));

/** Trains from the first step or a checkpoint up to `until`. Whether variants round does not matter to the scale. */
async function train(
  precision: Precision,
  until: number,
  { from, at, lr = 0.002 }: { from?: CheckpointContent; at?: number; lr?: number } = {},
): Promise<Trained> {
  const training = new TrainingState(runtime, config, { ...settings, precision });
  if (from) training.restore('from.safetensors', from);
  else training.initialise();
  return trainOn(training, source, { accumulate: ACCUMULATE, at, until, lr });
}

const names = (metrics: Metrics) => Object.keys(metrics);

describe('training under a loss scale', () => {
  it('follows training without, where nothing rounds, and tells of the scale', async () => {
    const [plain, scaled] = [await train('f32', 8), await train('f16', 8)];
    for (const [i, metrics] of scaled.metrics.entries()) {
      const expected = plain.metrics[i]!;
      expect(metrics.loss! / expected.loss!, `loss of step ${i}`).toBeCloseTo(1, 4);
      expect(metrics['gradient norm']! / expected['gradient norm']!).toBeCloseTo(1, 3);
      expect(metrics).toMatchObject({ 'loss scale': 65536, 'skipped steps': 0, lr: 0.002 });
    }
    expect(names(scaled.metrics[0]!)).toEqual([...names(plain.metrics[0]!), 'loss scale', 'skipped steps']);
    const stateOf = ({ content }: Trained) =>
      JSON.parse(content.metadata['tubelet.loss-scale']!) as Record<string, number>;
    const counts = { goodSteps: 8, takenSteps: 8, skippedSteps: 0 };
    expect(stateOf(plain)).toEqual({ scale: 1, ...counts });
    expect(stateOf(scaled)).toEqual({ scale: 65536, ...counts });
  });

  it('goes on from a checkpoint to the same bytes, with skipped steps behind it', async () => {
    // A scale so large that the first steps overflow f32.
    const { content } = await train('f16', 0);
    const state = { scale: 2 ** 75, goodSteps: 0, takenSteps: 0, skippedSteps: 0 };
    const begin = {
      ...content,
      metadata: { ...content.metadata, 'tubelet.loss-scale': JSON.stringify(state) },
    };
    const whole = await train('f16', 24, { from: begin });
    const skipped = whole.metrics.map((metrics) => metrics['skipped steps']!);
    expect(skipped.at(-1)).toBeGreaterThan(3);
    expect(skipped.at(-1)).toBeLessThan(20);
    expect(whole.metrics[0]!['gradient norm']).toBe(Infinity);
    for (const at of [2, skipped.at(-1)!, 20]) {
      const part = await train('f16', at, { from: begin });
      const rest = await train('f16', 24, { from: part.content, at });
      expect(rest.content, `stopped after step ${at}`).toEqual(whole.content);
      expect([...part.metrics, ...rest.metrics]).toEqual(whole.metrics);
    }
  });

  it('ends with an error once the scale has fallen below 1', async () => {
    const diverging = train('f16', 60, { lr: 1e38 });
    await expect(diverging).rejects.toThrow(TrainingDivergedError);
    await expect(diverging).rejects.toThrow(/loss scale has fallen to 1 \(17 steps were skipped\)/);
  });

  it('does not take a checkpoint whose scale is missing or does not fit its step', async () => {
    const { content } = await train('f16', 1);
    const { 'tubelet.loss-scale': text, ...without } = content.metadata;
    const damaged = JSON.stringify({ ...(JSON.parse(text!) as object), takenSteps: 7 });
    for (const metadata of [without, { ...without, 'tubelet.loss-scale': damaged }]) {
      await expect(train('f16', 2, { from: { ...content, metadata }, at: 1 })).rejects.toThrow(
        /from.safetensors .*no state of the loss scale after 1 steps/,
      );
    }
  });
});

describe('training in f32', () => {
  it('skips a step whose gradients are not finite, and goes on from what was before it', async () => {
    const { content, metrics } = await train('f32', 3);
    expect(metrics.some((one) => 'skipped steps' in one)).toBe(false);
    // One weight that overflows: so do the gradients of every step that uses it.
    const broken = new Map(content.tensors);
    const name = 'encoder.norm.weight';
    const tensor = broken.get(name)!;
    broken.set(name, { ...tensor, data: (tensor.data as Float32Array).slice().fill(Infinity) });
    const from = { ...content, tensors: broken };
    const after = await train('f32', 5, { from, at: 3 });
    expect(after.metrics.at(-1)).toMatchObject({ 'skipped steps': 2, 'gradient norm': Infinity });
    expect(after.content.tensors).toEqual(broken);
    await expect(train('f32', 40, { from, at: 3 })).rejects.toThrow(
      /diverged: in step 13 .*9 steps before it/,
    );
  });

  it('goes on from a checkpoint of before its steps could be skipped', async () => {
    const { content } = await train('f32', 2);
    const { 'tubelet.loss-scale': _, ...metadata } = content.metadata;
    const rest = await train('f32', 4, { from: { ...content, metadata }, at: 2 });
    expect(rest.content).toEqual((await train('f32', 4)).content);
  });
});
