import { PhiloxStream, type StreamPurpose } from '@tubelet/kernels';
import { describe, expect, it } from 'vitest';
import { normaliseClip, type ClipPlanes } from './clip-planes';
import { transformTestClip, transformTrainClip, type TrainTransformOptions } from './clip-transform';
import { drawRandAugment, randAugmentClip } from './rand-augment';
import { drawErasedBox } from './random-erasing';
import { drawRandomCrop, flipClip, resizeCrop } from './random-resized-crop';
import { Purpose } from '../stream-purposes';

const SIZE = 32;
const FRAMES = 4;
const key = { seed: 1, epoch: 2, sample: 3 };
const frames = Uint8Array.from(
  { length: FRAMES * SIZE * SIZE * 3 },
  (_, i) => (i * 37 + (i >> 7) * 11) % 256,
);
const off: TrainTransformOptions = { randAugment: false, crop: false, flipProbability: 0, erasing: false };
const stream = (purpose: StreamPurpose) => new PhiloxStream({ ...key, purpose });
const flipped = (clip: ClipPlanes) => {
  const copy = { ...clip, values: clip.values.slice() };
  flipClip(copy);
  return copy;
};

describe('transformTrainClip', () => {
  it('is normalisation alone with every part off, as for testing', () => {
    const expected = normaliseClip(frames, SIZE, SIZE);
    expect(transformTrainClip(frames, SIZE, key, off)).toEqual(expected);
    expect(transformTestClip(frames, SIZE)).toEqual(expected);
    expect(expected).toMatchObject({ frames: FRAMES, width: SIZE, height: SIZE });
  });

  it('augments, normalises, crops and mirrors in this order, each from its own random numbers', () => {
    const before = frames.slice();
    const augmented = randAugmentClip(frames, SIZE, SIZE, drawRandAugment(stream(Purpose.augment)));
    const plain = normaliseClip(augmented, SIZE, SIZE);
    const options = { ...off, randAugment: {} };
    expect(transformTrainClip(frames, SIZE, key, options)).toEqual(plain);
    const geometry = stream(Purpose.crop);
    geometry.uniform();
    const cropped = resizeCrop(plain, drawRandomCrop(SIZE, SIZE, geometry), SIZE, SIZE);
    expect(transformTrainClip(frames, SIZE, key, { ...options, crop: {} })).toEqual(cropped);
    const mirrored = transformTrainClip(frames, SIZE, key, { ...options, crop: {}, flipProbability: 1 });
    expect(mirrored).toEqual(flipped(cropped));
    expect(frames).toEqual(before);
  });

  it('erases last, and only in its box', () => {
    const erasing = { probability: 1 };
    const box = drawErasedBox(SIZE, SIZE, stream(Purpose.erase), erasing)!;
    const whole = transformTrainClip(frames, SIZE, key, { erasing: false });
    const { values } = transformTrainClip(frames, SIZE, key, { erasing });
    const changed = values.reduce((count, value, i) => count + (value === whole.values[i] ? 0 : 1), 0);
    expect(changed).toBeGreaterThan(0.99 * 3 * FRAMES * box.width * box.height);
    expect(changed).toBeLessThanOrEqual(3 * FRAMES * box.width * box.height);
    values.forEach((value, i) => {
      const [x, y] = [i % SIZE, Math.floor(i / SIZE) % SIZE];
      const inside = x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height;
      if (!inside) expect(value).toBe(whole.values[i]);
    });
  });

  it('depends on its key and on nothing else', () => {
    const first = transformTrainClip(frames, SIZE, key);
    transformTrainClip(frames, SIZE, { ...key, sample: 9 });
    expect(transformTrainClip(frames, SIZE, key)).toEqual(first);
    for (const other of [{ seed: 2 }, { epoch: 3 }, { sample: 4 }]) {
      expect(transformTrainClip(frames, SIZE, { ...key, ...other })).not.toEqual(first);
    }
  });

  it('mirrors half of the clips', () => {
    const options = { ...off, flipProbability: 0.5 };
    const plain = transformTrainClip(frames, SIZE, key, off);
    const mirrored = Array.from({ length: 200 }, (_, sample) =>
      transformTrainClip(frames, SIZE, { ...key, sample }, options),
    ).filter(({ values }) => values[0] !== plain.values[0]).length;
    expect(Math.abs(mirrored - 100)).toBeLessThan(35);
  });

  it('refuses frames of another size and options out of range', () => {
    expect(() => transformTrainClip(frames.subarray(1), SIZE, key, off)).toThrow(RangeError);
    expect(() => transformTestClip(frames.subarray(1), SIZE)).toThrow(RangeError);
    expect(() => transformTrainClip(frames, SIZE, key, { flipProbability: 2 })).toThrow(
      /flipProbability is 2/,
    );
  });
});
