import { PhiloxStream } from '@tubelet/kernels';
import { describe, expect, it } from 'vitest';
import { affine, rotate } from './affine';
import {
  applyAugmentOperation,
  augmentOperation,
  AUGMENT_OPERATIONS,
  drawRandAugment,
  randAugmentClip,
} from './rand-augment';
import type { RgbImage } from './rgb-image';
import { scripted, storedImage, transformReference } from './testing/transform-reference';
import { autoContrast, equalize, sharpness, solarize } from './tone';
import { Purpose } from '../stream-purposes';

const source = storedImage(transformReference.augmentSource);

describe('image operations', () => {
  it.each(transformReference.augmented)(
    'equal Pillow bit for bit: $name',
    ({ name, argument, ...stored }) => {
      const before = source.pixels.slice();
      const result = applyAugmentOperation(source, { name, argument });
      const expected = storedImage(stored);
      expect([result.width, result.height]).toEqual([expected.width, expected.height]);
      expect(Buffer.compare(result.pixels, expected.pixels)).toBe(0);
      expect(result.pixels).not.toEqual(before);
      expect(source.pixels).toEqual(before);
    },
  );

  it('are all tested', () => {
    expect(transformReference.augmented.map(({ name }) => name)).toEqual(AUGMENT_OPERATIONS);
  });

  it('leave flat and tiny images alone where there is nothing to stretch, equalise or smooth', () => {
    const flat: RgbImage = { pixels: new Uint8Array(5 * 4 * 3).fill(77), width: 5, height: 4 };
    expect(autoContrast(flat).pixels).toEqual(flat.pixels);
    expect(equalize(flat).pixels).toEqual(flat.pixels);
    const tiny: RgbImage = { pixels: Uint8Array.of(1, 2, 3, 40, 50, 60), width: 2, height: 1 };
    expect(equalize(tiny).pixels).toEqual(tiny.pixels);
    expect(sharpness(tiny, 0.1).pixels).toEqual(tiny.pixels);
    expect(affine(tiny, [1, 0, 0, 0, 1, 0]).pixels).toEqual(tiny.pixels);
    expect(rotate(tiny, 0).pixels).toEqual(tiny.pixels);
  });

  it('refuse images that are not as large as they say, and a missing argument', () => {
    expect(() => solarize({ pixels: new Uint8Array(10), width: 2, height: 2 }, 100)).toThrow(/has 12 bytes/);
    expect(() => rotate({ pixels: new Uint8Array(0), width: 0, height: 2 }, 1)).toThrow(RangeError);
    expect(() => applyAugmentOperation(source, { name: 'posterize' })).toThrow(/posterize needs an argument/);
  });
});

describe('augmentOperation', () => {
  const cases = AUGMENT_OPERATIONS.flatMap((name) =>
    Object.entries(transformReference.magnitudes[name]).map(([magnitude, argument]) => ({
      name,
      magnitude: Number(magnitude),
      argument,
    })),
  );

  it('turns magnitudes into the arguments of the reference', () => {
    expect(cases).toHaveLength(15 * 5);
    for (const { name, magnitude, argument } of cases) {
      const operation = augmentOperation(name, magnitude);
      if (argument === null) expect(operation).toEqual({ name });
      else expect(operation.argument, `${name} at ${magnitude}`).toBeCloseTo(argument, 12);
    }
  });

  it('has two directions where the reference has', () => {
    const arguments_ = (sign: 1 | -1) =>
      AUGMENT_OPERATIONS.map((name) => augmentOperation(name, 7, sign).argument);
    const differ = AUGMENT_OPERATIONS.filter((_, i) => arguments_(1)[i] !== arguments_(-1)[i]);
    expect(differ).toEqual([
      'rotate',
      'colour',
      'contrast',
      'brightness',
      'sharpness',
      'shearX',
      'shearY',
      'translateX',
      'translateY',
    ]);
    expect(augmentOperation('contrast', 7, -1).argument).toBeCloseTo(0.37, 12);
  });
});

describe('drawRandAugment', () => {
  it('draws the operation, whether it is applied, its magnitude and its direction, each time', () => {
    const operations = drawRandAugment(
      scripted({
        integers: [3, 2, 13, 3],
        uniforms: [0.49, 0.6, 0.5, 0.1, 0.2, 0.2, 0, 0.9],
        normals: [-2, 0, 100, 100],
      }),
    );
    expect(operations).toEqual([
      { name: 'rotate', argument: -18 },
      { name: 'translateX', argument: 0.45 },
      { name: 'rotate', argument: -30 },
    ]);
  });

  it('draws every operation alike, half of them applied, at magnitudes near 7', () => {
    const random = new PhiloxStream({ seed: 3, purpose: Purpose.augment });
    const drawn = Array.from({ length: 1500 }, () => drawRandAugment(random)).flat();
    expect(Math.abs(drawn.length - 3000)).toBeLessThan(160);
    for (const name of AUGMENT_OPERATIONS) {
      expect(drawn.filter((operation) => operation.name === name).length).toBeGreaterThan(140);
    }
    const degrees = drawn.flatMap(({ name, argument }) => (name === 'rotate' ? [argument!] : []));
    const mean = degrees.reduce((sum, value) => sum + Math.abs(value), 0) / degrees.length;
    expect(mean / 3).toBeGreaterThan(6.8);
    expect(mean / 3).toBeLessThan(7.2);
    expect(degrees.filter((value) => value < 0).length / degrees.length).toBeGreaterThan(0.35);
    expect(degrees.filter((value) => value > 0).length / degrees.length).toBeGreaterThan(0.35);
  });

  it('is the same for the same stream, and refuses options out of range', () => {
    const draw = () => drawRandAugment(new PhiloxStream({ seed: 5, purpose: Purpose.augment, sample: 8 }));
    expect(draw()).toEqual(draw());
    const random = scripted({});
    expect(drawRandAugment(random, { operations: 0 })).toEqual([]);
    expect(() => drawRandAugment(random, { magnitude: 11 })).toThrow(/magnitude is 11/);
    expect(() => drawRandAugment(random, { magnitudeDeviation: -1 })).toThrow(/magnitudeDeviation/);
    expect(() => drawRandAugment(random, { operations: 1.5 })).toThrow(/operations is 1.5/);
    expect(() => drawRandAugment(random, { probability: 2 })).toThrow(/probability is 2/);
  });
});

describe('randAugmentClip', () => {
  it('does the same to every frame, one operation after the other', () => {
    const { width, height, pixels } = source;
    const second = pixels.map((value) => 255 - value);
    const clip = Uint8Array.from([...pixels, ...second]);
    const operations = [augmentOperation('rotate', 7), augmentOperation('equalize', 7)];
    const result = randAugmentClip(clip, width, height, operations);
    for (const [i, frame] of [pixels, second].entries()) {
      const expected = equalize(rotate({ pixels: frame, width, height }, 21)).pixels;
      expect(result.subarray(i * pixels.length, (i + 1) * pixels.length)).toEqual(expected);
    }
    expect(randAugmentClip(clip, width, height, [])).toEqual(clip);
    expect(() => randAugmentClip(clip.subarray(1), width, height, [])).toThrow(/bytes/);
  });
});
