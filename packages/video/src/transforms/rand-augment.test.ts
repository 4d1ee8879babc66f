import { PhiloxStream } from '@tubelet/kernels';
import { describe, expect, it } from 'vitest';
import { augmentedImage } from '../pixels/image-passes.js';
import { useRuntime } from '../testing/test-runtime.js';
import {
  augmentOperation,
  AUGMENT_OPERATIONS,
  drawRandAugment,
  type AugmentOperationName,
} from './rand-augment.js';
import { affine } from './testing/affine.js';
import { applyAugmentOperation, randAugmentClip } from './testing/apply-operation.js';
import type { RgbImage } from './testing/rgb-image.js';
import { scripted, storedImage, transformReference } from './testing/transform-reference.js';
import { autoContrast, equalize, sharpness } from './testing/tone.js';
import { Purpose } from '../stream-purposes.js';

const source = storedImage(transformReference.augmentSource);

const operate = (image: RgbImage, ...[name, argument]: [AugmentOperationName, number?]) =>
  applyAugmentOperation(image, { name, argument });

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
    expect(operate(tiny, 'rotate', 0).pixels).toEqual(tiny.pixels);
  });

  it('refuse images that are not as large as they say, and a missing argument', () => {
    expect(() => operate({ pixels: new Uint8Array(10), width: 2, height: 2 }, 'solarize', 100)).toThrow(
      /has 12 bytes/,
    );
    expect(() => operate({ pixels: new Uint8Array(0), width: 0, height: 2 }, 'rotate', 1)).toThrow(
      RangeError,
    );
    expect(() => applyAugmentOperation(source, { name: 'posterize' })).toThrow(/posterize needs an argument/);
  });
});

describe('image operations on the GPU', () => {
  const runtime = useRuntime();
  /** Values of two images that differ; throws where one does by more than one level. */
  function differing(image: Uint8Array, expected: Uint8Array): number {
    const differences = image.map((value, i) => Math.abs(value - expected[i]!));
    expect(Math.max(...differences)).toBeLessThanOrEqual(1);
    return differences.filter((difference) => difference > 0).length;
  }

  it.each(transformReference.augmented)('equal Pillow: $name', async ({ name, argument, ...stored }) => {
    const image = await augmentedImage(runtime(), source, [{ name, argument }]);
    expect(differing(image, storedImage(stored).pixels)).toBe(0);
  });

  it('are those of double precision, several one after the other, but for a value of many thousands', async () => {
    const random = new PhiloxStream({ seed: 17, purpose: Purpose.augment });
    const width = 96;
    const image = {
      pixels: Uint8Array.from({ length: 3 * width * width }, (_, i) => {
        return 128 + 90 * Math.sin(i / 40) * Math.cos(i / (7 * width)) + random.integer(30);
      }),
      ...{ width, height: width },
    };
    let different = 0;
    for (let draw = 0; draw < 12; draw++) {
      const operations = drawRandAugment(random, { magnitudeDeviation: 3 });
      // The last operation is compared by itself: one level that differs moves others where levels are equalised.
      const before = operations
        .slice(0, -1)
        .reduce<RgbImage>((made, operation) => applyAugmentOperation(made, operation), image);
      const expected = operations.slice(-1).reduce((made, last) => applyAugmentOperation(made, last), before);
      different += differing(await augmentedImage(runtime(), before, operations.slice(-1)), expected.pixels);
      const whole = await augmentedImage(runtime(), image, operations);
      const wrong = whole.filter((value, i) => value !== expected.pixels[i]);
      expect(wrong.length).toBeLessThan(whole.length / 50);
    }
    expect(different).toBeLessThan(10);
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
      const expected = equalize(operate({ pixels: frame, width, height }, 'rotate', 21)).pixels;
      expect(result.subarray(i * pixels.length, (i + 1) * pixels.length)).toEqual(expected);
    }
    expect(randAugmentClip(clip, width, height, [])).toEqual(clip);
    expect(() => randAugmentClip(clip.subarray(1), width, height, [])).toThrow(/bytes/);
  });
});
