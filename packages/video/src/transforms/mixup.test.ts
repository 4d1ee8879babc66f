import { mixClips as mixClipsOnGpu, PhiloxStream } from '@tubelet/kernels';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { useRuntime } from '../testing/test-runtime.js';
import { cutmixBox, drawMix, NO_MIX, softTargets } from './mixup.js';
import { mixClips } from './testing/mix-clips.js';
import { scripted, storedFloats, transformReference } from './testing/transform-reference.js';
import { Purpose } from '../stream-purposes.js';

const { labels, clips, draws } = transformReference.mixup;
const CLASSES = 7;

describe('mixup and CutMix', () => {
  const runtime = useRuntime();

  it('have a reference for both', () => {
    expect(draws).toHaveLength(6);
    expect(draws.filter(({ box }) => box !== null)).toHaveLength(1);
  });

  it.each(draws)('mix as the reference does, bit for bit: λ = $lambda', ({ lambda, box, outputSha256 }) => {
    const batch = storedFloats(clips);
    mixClips(batch, 4, 16, 16, box === null ? { lambda } : { lambda, box });
    expect(createHash('sha256').update(new Uint8Array(batch.buffer)).digest('hex')).toBe(outputSha256);
  });

  it.each(draws)('mix so on the GPU, but for the last bit: λ = $lambda', async ({ lambda, box }) => {
    const mix = box === null ? { lambda } : { lambda, box };
    const expected = storedFloats(clips);
    mixClips(expected, 4, 16, 16, mix);
    const batch = runtime().upload(storedFloats(clips), [4, expected.length / 1024, 16, 16]);
    mixClipsOnGpu(runtime(), batch, mix);
    const mixed = await runtime().read(batch);
    runtime().release(batch);
    if (box !== null) expect(mixed).toEqual(expected);
    const greatest = mixed.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
    expect(greatest).toBeLessThan(5e-7);
  });

  it.each(draws)('make the targets of the reference, bit for bit: λ = $lambda', ({ lambda, targets }) => {
    expect(softTargets(labels, CLASSES, 0.1, { lambda })).toEqual(Float32Array.from(targets));
  });

  it('refuse an odd batch, and a box outside the frames', () => {
    const batch = new Float32Array(3 * 4);
    expect(() => mixClips(batch, 3, 2, 2, { lambda: 0.5 })).toThrow(/batch of 3 clips.*even/);
    expect(() => mixClips(batch, 2, 4, 4, { lambda: 0.5 })).toThrow(/12 values are not 2 clips of 4×4/);
    const box = { top: 0, bottom: 3, left: 0, right: 1 };
    expect(() => mixClips(new Float32Array(8), 2, 2, 2, { lambda: 0.5, box })).toThrow(/not a box in frames/);
  });
});

describe('cutmixBox', () => {
  it('is the box of the reference, with the λ that is left', () => {
    const { drawnLambda, lambda, box } = draws.find((draw) => draw.box !== null)!;
    const centre = { x: (box!.left + box!.right) / 2, y: (box!.top + box!.bottom) / 2 };
    expect(cutmixBox(16, 16, drawnLambda, centre)).toEqual({ lambda, box });
  });

  it('is cut off at the edges, and may be empty or all', () => {
    expect(cutmixBox(20, 10, 0.75, { x: 0, y: 9 })).toEqual({
      lambda: 1 - (3 * 5) / 200,
      box: { top: 7, bottom: 10, left: 0, right: 5 },
    });
    expect(cutmixBox(20, 10, 1, { x: 4, y: 4 }).lambda).toBe(1);
    expect(cutmixBox(20, 10, 0, { x: 10, y: 5 }).lambda).toBe(0);
  });
});

describe('drawMix', () => {
  it('draws whether, how, and how much', () => {
    const cut = drawMix(
      20,
      10,
      scripted({ uniforms: [0, 0.4, 0.5, 0.5], normals: [0, 0], integers: [9, 0] }),
    );
    // Two equal gamma draws: λ = ½, side √½, a box of 2·⌊14/2⌋ × 2·⌊7/2⌋ about (0, 9).
    expect(cut.box).toEqual({ top: 6, bottom: 10, left: 0, right: 7 });
    expect(cut.lambda).toBeCloseTo(1 - (4 * 7) / 200, 12);
    // α = 0.8 takes a second uniform for each gamma draw, the same power of ½ here.
    const mix = drawMix(20, 10, scripted({ uniforms: [0, 0.5, 0.5, 0.5, 0.5, 0.5], normals: [0, 0] }));
    expect(mix).toEqual({ lambda: 0.5 });
    expect(drawMix(20, 10, scripted({ uniforms: [0.3] }), { probability: 0.3 })).toBe(NO_MIX);
  });

  it('mixes half of the batches by CutMix, and keeps to one kind where the other is off', () => {
    const random = new PhiloxStream({ seed: 6, purpose: Purpose.mixup });
    const kinds = (options: Parameters<typeof drawMix>[3]) => {
      const mixes = Array.from({ length: 1000 }, () => drawMix(160, 160, random, options));
      expect(mixes.every(({ lambda }) => lambda >= 0 && lambda <= 1)).toBe(true);
      return mixes.filter(({ box }) => box !== undefined).length;
    };
    expect(Math.abs(kinds({}) - 500)).toBeLessThan(70);
    expect(kinds({ cutmixAlpha: 0 })).toBe(0);
    expect(kinds({ mixupAlpha: 0 })).toBe(1000);
    expect(drawMix(160, 160, scripted({}), { mixupAlpha: 0, cutmixAlpha: 0 })).toBe(NO_MIX);
  });

  it('refuses options out of range', () => {
    expect(() => drawMix(8, 8, scripted({}), { mixupAlpha: -1 })).toThrow(/mixupAlpha is -1/);
    expect(() => drawMix(8, 8, scripted({}), { cutmixAlpha: NaN })).toThrow(/cutmixAlpha is NaN/);
    expect(() => drawMix(8, 8, scripted({}), { cutmixProbability: 2 })).toThrow(/cutmixProbability is 2/);
  });
});

describe('softTargets', () => {
  it('are smoothed, and one-hot without smoothing', () => {
    expect([...softTargets([2, 0], 3, 0)]).toEqual([0, 0, 1, 1, 0, 0]);
    const targets = softTargets([1, 0], 4, 0.2);
    [0.05, 0.85, 0.05, 0.05].forEach((value, k) => expect(targets[k]).toBeCloseTo(value, 7));
  });

  it('refuse labels that are not a class, and a smoothing out of range', () => {
    expect(() => softTargets([0, 7], 7)).toThrow(/label of sample 1 is 7: the classes are 0 to 6/);
    expect(() => softTargets([0, 0.5], 7)).toThrow(RangeError);
    expect(() => softTargets([0], 7, 1)).toThrow(/smoothing is 1/);
  });
});
