import { Engine } from '@tubelet/autograd';
import { MaskError } from '@tubelet/kernels';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lgiFormer, tokenCount, vitBase } from './config.js';
import { drawMask, uploadMask, type MaskOnDevice } from './mask.js';
import { PretrainingModel } from './pretraining-model.js';
import { drawTubeMask, uploadUnevenMask } from './uneven-mask.js';

const SIZE = 64;
const FRAMES = 4;
const size = { imageSize: SIZE, frames: FRAMES, dim: 16, depth: 2, heads: 1 };
// A grid of 2×4×4 in four regions of 1×2×4.
const encoder = lgiFormer('tiny', { ...size, region: [1, 2, 4] });
const decoder = { dim: 16, depth: 1, heads: 1 };

/** [tokens]: 0 where a token is visible. */
function maskOf(visiblePositions: readonly number[]): Uint8Array {
  const mask = new Uint8Array(tokenCount(encoder)).fill(1);
  for (const position of visiblePositions) for (const slot of [0, 16]) mask[slot + position] = 0;
  return mask;
}

describe('masks of regions with unequal numbers of visible tokens', () => {
  let engine: Engine;
  let model: PretrainingModel;
  const bytes = Uint8Array.from({ length: FRAMES * SIZE * SIZE * 3 }, (_, i) => (i * 7919) % 251);

  beforeAll(async () => {
    engine = new Engine(await openNodeRuntime());
    model = new PretrainingModel(engine, { encoder, decoder, decoderPositions: 'token' });
    model.initialise(3);
  });
  afterAll(() => closeNodeRuntime(engine.runtime));

  const runWith = (makeMask: () => MaskOnDevice) =>
    engine.step(async () => {
      const { runtime } = engine;
      model.store.zeroGradients();
      const mask = makeMask();
      const frames = runtime.upload(bytes, [1, FRAMES, SIZE, SIZE, 3]);
      const { prediction, loss } = model.forward({ frames }, mask);
      loss.backward();
      return {
        prediction: await runtime.read(prediction.array),
        gradient: await runtime.read(model.store.get('encoder.lg_region_tokens').gradient),
      };
    });

  it('give what masks by windows give where the numbers are equal', async () => {
    const mask = maskOf([1, 6, 9, 15]);
    const windows = await runWith(() => uploadMask(engine.runtime, encoder, mask));
    const uneven = await runWith(() => uploadUnevenMask(engine.runtime, encoder, mask));
    for (const key of ['prediction', 'gradient'] as const) {
      const largest = Math.max(...windows[key].map(Math.abs));
      expect(largest).toBeGreaterThan(0);
      uneven[key].forEach((value, i) =>
        expect(Math.abs(value - windows[key][i]!) / largest).toBeLessThan(1e-6),
      );
    }
  });

  it('keep padding from tokens: a region that attends alone is as it is among longer ones', async () => {
    // Both masks leave the first window the tokens 1 and 6; the other windows have none, or six.
    const local = lgiFormer('tiny', { ...size, region: [1, 2, 4], interRegion: false, localGlobal: false });
    const alone = new PretrainingModel(engine, { encoder: local, decoder, decoderPositions: 'token' });
    alone.initialise(3);
    const encodedWith = (positions: readonly number[]) =>
      engine.step(async () => {
        const frames = engine.runtime.upload(bytes, [1, FRAMES, SIZE, SIZE, 3]);
        const mask = uploadUnevenMask(engine.runtime, local, maskOf(positions));
        return engine.runtime.read(alone.encodeVisible({ frames }, mask).array);
      });
    const few = await encodedWith([1, 6]);
    const many = await encodedWith([1, 6, 8, 9, 10, 11, 12, 13]);
    const width = 2 * local.dim;
    few.slice(0, width).forEach((value, i) => expect(value).toBeCloseTo(many[i]!, 5));
    // The second slot's first window follows on the tokens of the first slot's windows.
    few.slice(width).forEach((value, i) => expect(value).toBeCloseTo(many[4 * width + i]!, 5));
    alone.release();
  });

  it('are drawn over the whole frame, the same positions in all slots, by seed and sample', async () => {
    const { runtime } = engine;
    const read = (seed: number) =>
      engine.step(async () => {
        const mask = drawTubeMask(runtime, encoder, 0.75, { seed, epoch: 0, samples: [4] });
        return { mask, visible: [...new Uint32Array(await runtime.readBytes(mask.visibleAscending))] };
      });
    const { mask, visible } = await read(1);
    expect(mask.counts).toMatchObject({ visibleCount: 8, maskedCount: 24 });
    expect(visible.slice(4)).toEqual(visible.slice(0, 4).map((token) => token + 16));
    expect((await read(1)).visible).toEqual(visible);
    expect((await read(2)).visible).not.toEqual(visible);
    const tokensOfRegions = mask.uneven!.tokensOfRegions;
    expect(tokensOfRegions[0]! + tokensOfRegions[1]!).toBe(4);
    expect(tokensOfRegions.slice(2)).toEqual(tokensOfRegions.slice(0, 2));
  });

  it('are the masks of training for a ViT', async () => {
    const vit = vitBase(size);
    const key = { seed: 1, epoch: 0, samples: [4] };
    await engine.step(async () => {
      const read = async ({ visible }: MaskOnDevice) => [
        ...new Uint32Array(await engine.runtime.readBytes(visible)),
      ];
      const masks = [drawTubeMask, drawMask].map((draw) => draw(engine.runtime, vit, 0.75, key));
      expect(await read(masks[0]!)).toEqual(await read(masks[1]!));
    });
  });

  it('refuse to mask nothing', () => {
    expect(() => drawTubeMask(engine.runtime, encoder, 0.01, { seed: 0, epoch: 0, samples: [0] })).toThrow(
      MaskError,
    );
    expect(() => uploadUnevenMask(engine.runtime, encoder, new Uint8Array(32))).toThrow('masks no token');
  });
});
