import { PhiloxStream, type StreamPurpose } from '@tubelet/kernels';
import { describe, expect, it } from 'vitest';
import { Purpose } from '../stream-purposes.js';
import { blankAugmentations, drawAugmentation, type TrainTransformOptions } from './augmentation.js';
import { drawRandAugment } from './rand-augment.js';
import { drawErasedBox } from './random-erasing.js';
import { drawRandomCrop } from './random-resized-crop.js';

const SIZE = 32;
const key = { seed: 1, epoch: 2, sample: 3 };
const off: TrainTransformOptions = { randAugment: false, crop: false, flipProbability: 0, erasing: false };
const whole = { x: 0, y: 0, width: SIZE, height: SIZE };
const stream = (purpose: StreamPurpose) => new PhiloxStream({ ...key, purpose });

describe('drawAugmentation', () => {
  it('leaves a clip as it is with every part off', () => {
    expect(drawAugmentation(SIZE, key, off)).toEqual({
      ...{ operations: [], crop: whole, mirrored: false, noise: undefined },
    });
  });

  it('draws each part from random numbers of its own', () => {
    const drawn = drawAugmentation(SIZE, key, { erasing: { probability: 1 } });
    expect(drawn.operations).toEqual(drawRandAugment(stream(Purpose.augment)));
    const geometry = stream(Purpose.crop);
    expect(drawn.mirrored).toBe(geometry.uniform() < 0.5);
    expect(drawn.crop).toEqual(drawRandomCrop(SIZE, SIZE, geometry));
    const erase = stream(Purpose.erase);
    const box = drawErasedBox(SIZE, SIZE, erase, { probability: 1 });
    expect(drawn.noise).toEqual({ ...box, key, firstBlock: erase.nextBlock });
    expect(drawn.noise!.firstBlock).toBeGreaterThan(0);
    const part = drawAugmentation(SIZE, key, { ...off, crop: {} });
    expect(part).toMatchObject({ operations: [], crop: drawn.crop, mirrored: false });
  });

  it('depends on its key and on nothing else', () => {
    const first = drawAugmentation(SIZE, key);
    expect(drawAugmentation(SIZE, key)).toEqual(first);
    for (const other of [{ seed: 2 }, { epoch: 3 }, { sample: 4 }]) {
      expect(drawAugmentation(SIZE, { ...key, ...other })).not.toEqual(first);
    }
  });

  it('mirrors half of the clips', () => {
    const mirrored = Array.from({ length: 200 }, (_, sample) =>
      drawAugmentation(SIZE, { ...key, sample }, { ...off, flipProbability: 0.5 }),
    ).filter((drawn) => drawn.mirrored).length;
    expect(Math.abs(mirrored - 100)).toBeLessThan(35);
  });

  it('refuses options out of range', () => {
    expect(() => drawAugmentation(SIZE, key, { flipProbability: 2 })).toThrow(/flipProbability is 2/);
  });

  it('has blank ones that use every kernel', () => {
    const names = blankAugmentations(2, SIZE).map(({ operations }) => operations.map(({ name }) => name));
    expect(names).toEqual([
      ['equalize', 'rotate'],
      ['equalize', 'rotate'],
    ]);
  });
});
