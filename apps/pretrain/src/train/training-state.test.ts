import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Runtime } from '@tubelet/kernels';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { lgiFormer, type PretrainingConfig } from '@tubelet/mae-dfer';
import { checkpointWeights } from '@tubelet/trainer';
import { CheckpointCorruptError, CheckpointMismatchError } from '@tubelet/trainer/formats';
import { checkpointConfig, trainedClips, TrainingState } from './training-state.js';

const clip = { imageSize: 32, frames: 4, depth: 1, heads: 1, region: [2, 2, 2] as const };
const config = (dim: number): PretrainingConfig => ({
  encoder: lgiFormer('tiny', { ...clip, dim }),
  decoder: { dim: 16, depth: 1, heads: 1 },
  decoderPositions: 'token',
});

let runtime: Runtime;
beforeAll(async () => void (runtime = await openNodeRuntime()));
afterAll(() => closeNodeRuntime(runtime));

const options = { weightDecay: 0.05, precision: 'f32', maskRatio: 0.5, lossWeight: 0.5, seed: 3 } as const;
const open = (dim = 16) => new TrainingState(runtime, config(dim), options);

/** A state whose weights and moments all differ from zero, after 5 steps. */
async function trained(): Promise<TrainingState> {
  const training = open();
  training.initialise();
  const moments = [...(await training.optimiser.state())].map(([name, { firstMoment, secondMoment }], i) => {
    const values = { firstMoment: firstMoment.fill(i + 0.25), secondMoment: secondMoment.fill(i + 0.5) };
    return [name, values] as const;
  });
  training.optimiser.restore(new Map(moments), 5);
  training.lossScale.restore({ scale: 1, goodSteps: 4, takenSteps: 4, skippedSteps: 1 });
  return training;
}

describe('the state of training', () => {
  it('comes back whole from its checkpoint: weights, moments, counter', async () => {
    const content = await (await trained()).checkpoint(5);
    const other = open();
    other.restore('a.safetensors', content);
    expect(other.optimiser.stepCount).toBe(5);
    expect(await other.checkpoint(5)).toEqual(content);
    expect(checkpointConfig('a.safetensors', content)).toEqual(config(16));
    expect([...checkpointWeights(content).keys()].sort()).toEqual(
      [...other.model.store.parameters.keys()].sort(),
    );
  });

  it('does not take the checkpoint of another model, or one without its counter', async () => {
    const content = await (await trained()).checkpoint(5);
    expect(() => open(32).restore('a.safetensors', content)).toThrow(CheckpointMismatchError);
    const { 'tubelet.step': _, ...metadata } = content.metadata;
    expect(() => open().restore('a.safetensors', { ...content, metadata })).toThrow(CheckpointCorruptError);
    expect(() => checkpointConfig('a.safetensors', { ...content, metadata: {} })).toThrow('names no model');
  });

  it('says how clips were cut, if it knows', async () => {
    const clips = { frameStep: 2, crop: 'voxceleb' } as const;
    const training = new TrainingState(runtime, config(16), { ...options, ...clips });
    const content = await training.checkpoint(0);
    expect(trainedClips('a.safetensors', content)).toEqual(clips);
    expect(trainedClips('a.safetensors', await open().checkpoint(0))).toBeUndefined();
    const damaged = {
      ...content,
      metadata: { 'tubelet.pretraining.clips': '{"frameStep":0,"crop":"none"}' },
    };
    expect(() => trainedClips('a.safetensors', damaged)).toThrow(CheckpointCorruptError);
  });
});
