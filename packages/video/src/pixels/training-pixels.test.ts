import { PhiloxStream } from '@tubelet/kernels';
import { beforeAll, describe, expect, it } from 'vitest';
import { Purpose } from '../stream-purposes.js';
import { useRuntime } from '../testing/test-runtime.js';
import { drawAugmentation, type Augmentation } from '../transforms/augmentation.js';
import { NO_MIX, type Mix } from '../transforms/mixup.js';
import { mixClips } from '../transforms/testing/mix-clips.js';
import { transformTrainClip } from '../transforms/testing/transform-clip.js';
import { alikeFrames, type CodedFrames } from './coded-frames.js';
import { toRgb } from './to-rgb.js';
import { TrainingPixels } from './training-pixels.js';

const SIZE = 32;
const FRAMES = 3;
const runtime = useRuntime();
let pixels: TrainingPixels;
beforeAll(() => void (pixels = new TrainingPixels(runtime(), SIZE)));

/** A clip of RGB frames of 40×36 pixels, soft with some noise. */
function clipOf(sample: number): CodedFrames {
  const random = new PhiloxStream({ seed: 5, purpose: Purpose.crop, sample });
  const frame = { width: 40, height: 36 };
  const bytes = Uint8Array.from({ length: FRAMES * 40 * 36 * 3 }, (_, i) => {
    return 128 + 90 * Math.sin(i / 31 + sample) * Math.cos(i / 900) + random.integer(30);
  });
  return { bytes, frames: alikeFrames(frame, 0, FRAMES) };
}

const keyOf = (sample: number) => ({ seed: 3, epoch: 1, sample });
const clips = Array.from({ length: 8 }, (_, sample) => clipOf(sample));
const augmentations = clips.map((_, sample) => drawAugmentation(SIZE, keyOf(sample)));
const CLIP_VALUES = 3 * FRAMES * SIZE * SIZE;

async function videoOf(
  batch: readonly CodedFrames[],
  drawn: readonly Augmentation[],
  mix: Mix = NO_MIX,
): Promise<Float32Array> {
  return runtime().read(pixels.video({ clips: batch, augmentations: drawn, mix }));
}

const expectedOf = (options = {}) =>
  Float32Array.from(
    clips.flatMap((clip, sample) => [
      ...transformTrainClip(toRgb(clip, SIZE), SIZE, keyOf(sample), options).values,
    ]),
  );

/**
 * Values that differ by more than rounding, which is most in the noise: where a level was cut to the other side, a few of
 * its neighbours do.
 */
const differing = (values: Float32Array, expected: Float32Array) =>
  values.filter((value, i) => !(Math.abs(value - expected[i]!) < 1e-4)).length;

describe('TrainingPixels', () => {
  it('makes of clips what the transforms make of them on the processor', async () => {
    // What is drawn has every part in it.
    expect(augmentations.some(({ noise }) => noise)).toBe(true);
    expect(augmentations.some(({ mirrored }) => mirrored)).toBe(true);
    expect(Math.max(...augmentations.map(({ operations }) => operations.length))).toBeGreaterThan(2);
    const values = await videoOf(clips, augmentations);
    expect(values).toHaveLength(8 * CLIP_VALUES);
    expect(differing(values, expectedOf())).toBeLessThan(values.length / 5000);
  });

  it('crops, mirrors and erases to rounding where nothing else is done', async () => {
    const options = { randAugment: false, erasing: { probability: 1 } } as const;
    const drawn = clips.map((_, sample) => drawAugmentation(SIZE, keyOf(sample), options));
    expect(differing(await videoOf(clips, drawn), expectedOf(options))).toBe(0);
  });

  it.each<Mix>([{ lambda: 0.3 }, { lambda: 0.75, box: { top: 4, bottom: 20, left: 0, right: 16 } }])(
    'mixes clips with those at the mirrored places: %j',
    async (mix) => {
      const expected = await videoOf(clips, augmentations);
      mixClips(expected, clips.length, SIZE, SIZE, mix);
      expect(differing(await videoOf(clips, augmentations, mix), expected)).toBe(0);
    },
  );

  it('makes the same bytes of a clip whatever clips are beside it', async () => {
    const all = await videoOf(clips, augmentations);
    const alone = await videoOf(clips.slice(2, 3), augmentations.slice(2, 3));
    expect(alone).toEqual(all.subarray(2 * CLIP_VALUES, 3 * CLIP_VALUES));
  });

  it('refuses clips of other lengths, missing augmentations, and an odd batch that is to be mixed', () => {
    const mix = { lambda: 0.5 };
    const short = { ...clips[0]!, frames: clips[0]!.frames.slice(1) };
    expect(() => pixels.video({ clips: [clips[0]!, short], augmentations, mix })).toThrow(/3 and 2 frames/);
    expect(() => pixels.video({ clips, augmentations: [], mix })).toThrow(/0 augmentations for 8 clips/);
    const odd = { clips: clips.slice(5), augmentations: augmentations.slice(5), mix };
    expect(() => pixels.video(odd)).toThrow(/mixed in pairs/);
  });
});
