import { Engine } from '@tubelet/autograd';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lgiFormer, vitBase } from './config.js';
import { drawMask } from './mask.js';
import { PretrainingModel } from './pretraining-model.js';
import type { TargetKind } from './targets.js';

const SIZE = 32;
const FRAMES = 4;
const PATCH = 16;
const CUBE = 2 * PATCH * PATCH * 3;
const size = { imageSize: SIZE, frames: FRAMES, dim: 16, depth: 1, heads: 1 };
const encoders = { 'LGI-Former': lgiFormer('tiny', { ...size, region: [1, 2, 2] }), ViT: vitBase(size) };

/** Byte of a frame, row, column and channel: neighbours differ, and so do frames. */
const byteOf = (frame: number, y: number, x: number, channel: number) =>
  (frame * 41 + y * 7 + x * 13 + channel * 29 + ((x * y) % 17)) % 256;

/** Targets of one cube in float64, in the order (frame, row, column, channel). */
function expectedTarget(token: number, kind: TargetKind): number[] {
  const across = SIZE / PATCH;
  const [slot, row, column] = [
    Math.floor(token / across ** 2),
    Math.floor(token / across) % across,
    token % across,
  ];
  const values = (channel: number, frame: number) =>
    Array.from(
      { length: PATCH * PATCH },
      (_, i) =>
        byteOf(2 * slot + frame, row * PATCH + Math.floor(i / PATCH), column * PATCH + (i % PATCH), channel) /
        255,
    );
  const channels = [0, 1, 2].map((channel) => {
    const frames = [values(channel, 0), values(channel, 1)];
    const all = frames.flat();
    const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
    const variance = all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (all.length - 1);
    return frames.map((frame) => frame.map((value) => (value - mean) / (Math.sqrt(variance) + 1e-6)));
  });
  return Array.from({ length: CUBE }, (_, i) => {
    const [frame, place, channel] = [Math.floor(i / (CUBE / 2)), Math.floor(i / 3) % PATCH ** 2, i % 3];
    const [first, second] = [channels[channel]![0]![place]!, channels[channel]![1]![place]!];
    if (frame === 0) return first;
    return kind === 'pixels' ? second : second - first;
  });
}

/** All weights are zero but for the last bias, which then is the prediction of every cube. */
describe('pre-training', () => {
  let engine: Engine;
  beforeAll(async () => void (engine = new Engine(await openNodeRuntime())));
  afterAll(() => closeNodeRuntime(engine.runtime));

  const trainings = Object.entries(encoders).flatMap(([name, encoder]) =>
    (['pixels', 'difference'] as const).map((target) => ({ name, encoder, target })),
  );
  it.each(trainings)(
    'of $name on $target has the loss and gradient of float64',
    async ({ encoder, target }) => {
      const { runtime } = engine;
      const decoder = { dim: 16, depth: 1, heads: 1 };
      const model = new PretrainingModel(engine, { encoder, decoder, decoderPositions: 'token', target });
      const bias = Float32Array.from({ length: CUBE }, (_, i) => Math.sin(i));
      const parameter = model.store.get('decoder.head.bias');
      parameter.write(bias);
      const bytes = Uint8Array.from({ length: FRAMES * SIZE * SIZE * 3 }, (_, i) => {
        const [frame, y, x] = [
          Math.floor(i / (SIZE * SIZE * 3)),
          Math.floor(i / (SIZE * 3)) % SIZE,
          Math.floor(i / 3) % SIZE,
        ];
        return byteOf(frame, y, x, i % 3);
      });
      const { loss, gradient, tokens } = await engine.step(async () => {
        const frames = runtime.upload(bytes, [1, FRAMES, SIZE, SIZE, 3]);
        const mask = drawMask(runtime, encoder, 0.5, { seed: 1, epoch: 0, samples: [0] });
        const output = model.forward({ frames }, mask);
        output.loss.backward();
        return {
          loss: (await runtime.read(output.loss.array))[0]!,
          gradient: await runtime.read(parameter.gradient),
          tokens: [...new Uint32Array(await runtime.readBytes(mask.masked))],
        };
      });
      const targets = tokens.map((token) => expectedTarget(token, target));
      const count = targets.length * CUBE;
      let expectedLoss = 0;
      const expectedGradient = new Float64Array(CUBE);
      for (const cube of targets) {
        cube.forEach((value, i) => {
          const error = bias[i]! - value;
          expectedLoss += error ** 2 / count;
          expectedGradient[i]! += (2 * error) / count;
        });
      }
      expect(Math.abs(loss / expectedLoss - 1)).toBeLessThan(2e-6);
      const largest = Math.max(...expectedGradient.map(Math.abs));
      gradient.forEach((value, i) =>
        expect(Math.abs(value - expectedGradient[i]!) / largest).toBeLessThan(5e-6),
      );
      model.release();
    },
  );
});
