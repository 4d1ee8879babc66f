import { Engine, type Tensor } from '@tubelet/autograd';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Classifier } from './classifier.js';
import type { ClipBatch } from './clip-batch.js';
import { lgiFormer, vitBase, type EncoderConfig } from './config.js';
import { drawMask } from './mask.js';
import { PretrainingModel } from './pretraining-model.js';

const BATCH = 4;
const size = { imageSize: 64, frames: 4, dim: 64, heads: 2 };
const REGIONS = 4;
const TOKENS = 32;
/** All tokens of a batch at one place of the model; a region has a representative besides its own. */
const activationBytes = BATCH * (TOKENS + REGIONS) * size.dim * 4;
const lgi = (depth: number) => lgiFormer('tiny', { ...size, depth, region: [1, 2, 4] });
const vit = (depth: number) => vitBase({ ...size, depth });

describe('a forward pass without gradients', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = new Engine(await openNodeRuntime());
  });
  afterAll(() => closeNodeRuntime(engine.runtime));

  const clips = (): ClipBatch => {
    const shape = [BATCH, size.frames, size.imageSize, size.imageSize, 3];
    const data = Uint8Array.from(
      { length: shape.reduce((product, extent) => product * extent, 1) },
      (_, i) => (i * 89) % 251,
    );
    return { frames: engine.runtime.upload(data, shape, 'u8', 'clips') };
  };

  /** The result with and without gradients, and the memory that the pass took without. */
  function measure(forward: () => Tensor): Promise<{ result: Float32Array; peakBytes: number }> {
    return engine.step(async () => {
      const expected = await forward().read();
      const { pool } = engine.runtime;
      const before = pool.liveBytes;
      pool.resetPeak();
      const tensor = engine.noGrad(forward);
      const peakBytes = pool.peakBytes - before;
      const result = await tensor.read();
      expect(result, 'gradients change no bit of the result').toEqual(expected);
      expect(result.every(Number.isFinite)).toBe(true);
      return { result, peakBytes };
    });
  }

  async function classify(encoder: EncoderConfig): Promise<number> {
    const pooling = encoder.kind === 'vit' ? 'original' : 'representative';
    const model = new Classifier(engine, { encoder, classes: 7, pooling });
    try {
      model.initialise(3);
      const { result, peakBytes } = await measure(() => model.forward(clips()).feature);
      expect(new Set(result).size).toBeGreaterThan(BATCH);
      return peakBytes;
    } finally {
      model.release();
    }
  }

  it.each([
    ['LGI-Former', lgi],
    ['ViT', vit],
  ])('of %s needs no more memory for ten blocks than for two', async (_, encoder) => {
    const peakBytes = await classify(encoder(10));
    expect(peakBytes).toBe(await classify(encoder(2)));
    // Clips and cubes, which enter the encoder, take more here; what a block adds is six times its input.
    const inputBytes = 2 * BATCH * TOKENS * 1536 * 4;
    expect(peakBytes).toBeLessThan(inputBytes + 8 * activationBytes);
  });

  it('of pre-training needs no more memory for ten blocks than for two', async () => {
    const peaks: number[] = [];
    for (const depth of [2, 10]) {
      const model = new PretrainingModel(engine, {
        encoder: lgi(depth),
        decoder: { dim: 32, depth, heads: 1 },
        decoderPositions: 'token',
      });
      model.initialise(5);
      const samples = Array.from({ length: BATCH }, (_, i) => i);
      const { peakBytes } = await measure(() => {
        const mask = drawMask(engine.runtime, lgi(depth), 0.75, { seed: 0, epoch: 0, samples });
        return model.forward(clips(), mask).prediction;
      });
      peaks.push(peakBytes);
      model.release();
    }
    expect(peaks[1]).toBe(peaks[0]);
  });
});
