import { Engine, softCrossEntropy, type Tensor } from '@tubelet/autograd';
import { paperRuntime } from '@tubelet/kernels';
import { describe, expect, it } from 'vitest';
import { Classifier } from './classifier.js';
import { lgiFormer, paperDecoder, regionCount, tokenCount, vitBase, type EncoderConfig } from './config.js';
import { drawMask } from './mask.js';
import { PretrainingModel } from './pretraining-model.js';

const BATCH = 8;

interface Model {
  loss(recompute: boolean): Tensor;
}

function pretraining(engine: Engine, encoder: EncoderConfig): Model {
  const decoder = { ...paperDecoder, depth: encoder.depth };
  const model = new PretrainingModel(engine, { encoder, decoder, decoderPositions: 'token' });
  const samples = Array.from({ length: BATCH }, (_, i) => i);
  return {
    loss: (recompute) => {
      const mask = drawMask(engine.runtime, encoder, 0.9, { seed: 0, epoch: 0, samples });
      return model.forward({ frames: clips(engine, encoder) }, mask, { recompute }).loss;
    },
  };
}

function fineTuning(engine: Engine, encoder: EncoderConfig): Model {
  const pooling = encoder.kind === 'vit' ? 'original' : 'representative';
  const model = new Classifier(engine, { encoder, classes: 7, pooling });
  return {
    loss: (recompute) => {
      const { logits } = model.forward({ frames: clips(engine, encoder) }, { recompute });
      return softCrossEntropy(logits, engine.empty([BATCH, 7]));
    },
  };
}

function clips(engine: Engine, { frames, imageSize }: EncoderConfig) {
  return engine.empty([BATCH, frames, imageSize, imageSize, 3], 'u8');
}

/** What a step takes at its peak besides the parameters, and its operations, counted on paper. */
async function stepOf(make: typeof fineTuning, encoder: EncoderConfig, recompute: boolean) {
  const engine = new Engine(paperRuntime());
  const { pool, ledger } = engine.runtime;
  const model = make(engine, encoder);
  const before = pool.liveBytes;
  pool.resetPeak();
  await engine.step(() => void model.loss(recompute).backward());
  const { macs } = ledger.total();
  return { bytes: pool.peakBytes - before, macs };
}

describe('recomputation', () => {
  it.each([
    ['pre-training', pretraining, lgiFormer('base')],
    ['pre-training of a ViT', pretraining, vitBase()],
    ['fine-tuning', fineTuning, lgiFormer('base')],
    ['fine-tuning of a ViT', fineTuning, vitBase()],
  ])('of %s takes a fraction of the memory for a forward pass more', async (_, make, encoder) => {
    for (const { depth, factor } of [
      { depth: 4, factor: 2.4 },
      { depth: 16, factor: 6.2 },
    ]) {
      const plain = await stepOf(make, { ...encoder, depth }, false);
      const recomputed = await stepOf(make, { ...encoder, depth }, true);
      expect(plain.bytes / recomputed.bytes).toBeGreaterThan(factor);
      expect(recomputed.macs / plain.macs).toBeGreaterThan(1.2);
      expect(recomputed.macs / plain.macs).toBeLessThan(4 / 3);
    }
  });

  it('adds to the memory of a step the input of each further block', async () => {
    const encoder = lgiFormer('base');
    const [four, sixteen] = [
      await stepOf(fineTuning, { ...encoder, depth: 4 }, true),
      await stepOf(fineTuning, { ...encoder, depth: 16 }, true),
    ];
    const inputBytes = BATCH * (tokenCount(encoder) + regionCount(encoder)) * encoder.dim * 4;
    const blockBytes = (sixteen.bytes - four.bytes) / 12;
    expect(blockBytes).toBeGreaterThanOrEqual(inputBytes);
    // Buffers are up to an eighth larger than what is asked for.
    expect(blockBytes).toBeLessThan(1.125 * inputBytes);
  });
});
