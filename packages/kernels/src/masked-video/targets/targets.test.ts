import { describe, expect, it } from 'vitest';
import { IMAGENET_MEAN, IMAGENET_STD } from '../cubes/clip-geometry.js';
import type { GpuArray } from '../../runtime/gpu-array.js';
import { scaledError, testKernel } from '../../testing/kernel-harness.js';
import { proceduralBytes } from '../../testing/procedural.js';
import { useRuntime } from '../../testing/test-runtime.js';
import stored from './fixtures/targets.json' with { type: 'json' };
import { targetsFromVideoKernel, targetsKernel } from './targets.cases.js';
import {
  cubeStatisticsCost,
  reconstructionTargets,
  reconstructionTargetsFromVideo,
  targetsCost,
} from './targets.js';
import { targetsReference } from './targets.reference.js';

const clip = { batch: 1, frames: 16, height: 32, width: 32, tubeletSize: 2, patch: 16 } as const;
const pixels = clip.frames * clip.height * clip.width;
// The stored clip is planar, [3, T, H, W]; frames are interleaved, [T, H, W, 3].
const planar = proceduralBytes('targets.video', 3 * pixels);
const interleaved = Uint8Array.from(
  { length: 3 * pixels },
  (_, i) => planar[(i % 3) * pixels + Math.floor(i / 3)]!,
);
const video = Float32Array.from(planar, (byte, i) => {
  const c = Math.floor(i / pixels);
  const unit = Math.fround(byte / 255);
  return Math.fround(Math.fround(unit - Math.fround(IMAGENET_MEAN[c]!)) / Math.fround(IMAGENET_STD[c]!));
});

describe('reconstruction targets', () => {
  const runtime = useRuntime();
  const uploadFrames = () => runtime().upload(interleaved, [1, 16, 32, 32, 3], 'u8');
  const uploadVideo = () => runtime().upload(video, [1, 3, 16, 32, 32]);
  const uploadTokens = (tokens: readonly number[]) =>
    runtime().upload(Uint32Array.from(tokens), [1, tokens.length]);

  testKernel(runtime, targetsKernel, { randomShapes: 1 });
  testKernel(runtime, targetsFromVideoKernel, { randomShapes: 1 });

  const variants = {
    norm_diff2: { normalize: true, frameDifferenceGroup: 2 },
    norm_plain: { normalize: true, frameDifferenceGroup: 1 },
    raw_diff2: { normalize: false, frameDifferenceGroup: 2 },
    raw_plain: { normalize: false, frameDifferenceGroup: 1 },
    norm_diff4: { normalize: true, frameDifferenceGroup: 4 },
  } as const;

  it.each(Object.keys(variants) as (keyof typeof variants)[])('reproduce the stored %s', async (name) => {
    const expected = stored.targets[name].flat();
    await runtime().scope(async () => {
      const masked = uploadTokens(stored.tokens);
      for (const fromVideo of [false, true]) {
        const out = runtime().empty([1, stored.tokens.length, 1536]);
        const options = { masked, out, ...variants[name] };
        if (fromVideo) reconstructionTargetsFromVideo(runtime(), { video: uploadVideo(), ...options });
        else reconstructionTargets(runtime(), { frames: uploadFrames(), ...options });
        const values = await runtime().read(out);
        const kept = [...values].filter((_, i) => (i % 1536) % stored.stride === 0);
        expect(scaledError(kept, expected)).toBeLessThan(2e-6);
      }
    });
  });

  it('leave the mean and deviation that turn targets back into pixels', async () => {
    const tokens = [7, 0, 31];
    const wanted = targetsReference(
      clip,
      tokens,
      (_clip, c, frame, y, x) => planar[c * pixels + (frame * 32 + y) * 32 + x]! / 255,
      { normalize: true, frameDifferenceGroup: 2 },
    );
    await runtime().scope(async () => {
      const masked = uploadTokens(tokens);
      for (const fromVideo of [false, true]) {
        const mean = runtime().empty([1, 3, 3]);
        const deviation = runtime().empty([1, 3, 3]);
        const out = runtime().empty([1, 3, 1536]);
        runtime().ledger.reset();
        if (fromVideo)
          reconstructionTargetsFromVideo(runtime(), { video: uploadVideo(), masked, out, mean, deviation });
        else reconstructionTargets(runtime(), { frames: uploadFrames(), masked, out, mean, deviation });
        const valueBytes = fromVideo ? 4 : 1;
        const costs = [targetsCost(3, 1536, valueBytes), cubeStatisticsCost(3, 1536, valueBytes)];
        expect(runtime().ledger.total().bytesWritten).toBe(costs[0]!.bytesWritten + costs[1]!.bytesWritten);
        expect(scaledError(await runtime().read(mean), wanted.mean)).toBeLessThan(2e-7);
        expect(scaledError(await runtime().read(deviation), wanted.deviation)).toBeLessThan(2e-7);
        const values = await runtime().read(out);
        // Frame 1, row 3, column 5, green, of the first token (slot 1, row 1, column 1).
        const at = 768 + (3 * 16 + 5) * 3 + 1;
        const [m, d] = [(await runtime().read(mean))[1]!, (await runtime().read(deviation))[1]!];
        const byte = (values[at - 768]! + values[at]!) * d * 255 + m * 255;
        expect(byte).toBeCloseTo(interleaved[((3 * 32 + 19) * 32 + 21) * 3 + 1]!, 3);
      }
    });
  });

  it('are exactly zero for cubes without contrast, whatever their colour', async () => {
    await runtime().scope(async () => {
      const masked = uploadTokens([0]);
      for (const byte of [1, 77, 254, 255]) {
        const flat = new Uint8Array(2 * 32 * 32 * 3).fill(byte);
        const value = new Float32Array(flat.length).fill((byte / 255 - 0.485) / 0.229);
        const makers: ((out: GpuArray) => void)[] = [
          (out) =>
            reconstructionTargets(runtime(), {
              frames: runtime().upload(flat, [1, 2, 32, 32, 3]),
              masked,
              out,
            }),
          (out) =>
            reconstructionTargetsFromVideo(runtime(), {
              video: runtime().upload(value, [1, 3, 2, 32, 32]),
              masked,
              out,
            }),
        ];
        for (const make of makers) {
          const out = runtime().empty([1, 1, 1536]);
          make(out);
          expect((await runtime().read(out)).every((target) => target === 0)).toBe(true);
        }
      }
    });
  });

  it('keep the contrast of one step in one pixel of a white cube', async () => {
    await runtime().scope(async () => {
      const bytes = new Uint8Array(2 * 32 * 32 * 3).fill(255);
      bytes[0] = 254;
      const out = runtime().empty([1, 1, 1536]);
      const frames = runtime().upload(bytes, [1, 2, 32, 32, 3]);
      reconstructionTargets(runtime(), { frames, masked: uploadTokens([0]), out, frameDifferenceGroup: 1 });
      const values = await runtime().read(out);
      const shape = { ...clip, frames: 2 };
      const wanted = targetsReference(
        shape,
        [0],
        (_clip, c, f, y, x) => bytes[((f * 32 + y) * 32 + x) * 3 + c]! / 255,
        {
          normalize: true,
          frameDifferenceGroup: 1,
        },
      );
      expect(wanted.out[0]).toBeLessThan(-20);
      expect(scaledError(values, wanted.out)).toBeLessThan(1e-6);
    });
  });

  it('mark a token that does not exist with NaN', async () => {
    await runtime().scope(async () => {
      const masked = uploadTokens([31, 32]);
      for (const fromVideo of [false, true]) {
        const out = runtime().empty([1, 2, 1536]);
        if (fromVideo) reconstructionTargetsFromVideo(runtime(), { video: uploadVideo(), masked, out });
        else reconstructionTargets(runtime(), { frames: uploadFrames(), masked, out });
        const values = await runtime().read(out);
        expect(values.slice(0, 1536).every(Number.isFinite)).toBe(true);
        expect(values.slice(1536).every(Number.isNaN)).toBe(true);
      }
    });
  });

  it('refuse groups that do not fit, and half of the statistics', () => {
    runtime().scope(() => {
      const options = {
        frames: uploadFrames(),
        masked: uploadTokens([0]),
        out: runtime().empty([1, 1, 1536]),
      };
      for (const frameDifferenceGroup of [0, 3, 32]) {
        const call = () => reconstructionTargets(runtime(), { ...options, frameDifferenceGroup });
        expect(call).toThrow(`frameDifferenceGroup is ${frameDifferenceGroup}`);
      }
      const mean = runtime().empty([1, 1, 3]);
      expect(() => reconstructionTargets(runtime(), { ...options, mean })).toThrow(/both mean and deviation/);
      const both = { mean, deviation: runtime().empty([1, 3]) };
      expect(() => reconstructionTargets(runtime(), { ...options, ...both })).toThrow(
        /deviation is f32\[1, 3\]/,
      );
      expect(() => reconstructionTargets(runtime(), { ...options, ...both, normalize: false })).toThrow(
        /normalised/,
      );
    });
  });
});
