import { PhiloxStream } from '@tubelet/kernels';
import { describe, expect, it } from 'vitest';
import { referenceImage } from '../testing/reference.js';
import { croppedImage } from '../pixels/image-passes.js';
import { useRuntime } from '../testing/test-runtime.js';
import { drawRandomCrop } from './random-resized-crop.js';
import { flipClip, resizeCrop } from './testing/clip-operations.js';
import { IMAGENET_DEVIATION, IMAGENET_MEAN, normaliseClip, type ClipPlanes } from './testing/clip-planes.js';
import { scripted, storedFloats, transformReference } from './testing/transform-reference.js';
import { Purpose } from '../stream-purposes.js';

/** An image as a clip of one frame, its values as they are. */
function asClip({ pixels, width, height }: ReturnType<typeof referenceImage>): ClipPlanes {
  const area = width * height;
  const values = Float32Array.from(
    { length: 3 * area },
    (_, i) => pixels[3 * (i % area) + Math.floor(i / area)]!,
  );
  return { values, frames: 1, width, height };
}

describe('resizeCrop', () => {
  const source = asClip(referenceImage('resize.src'));

  it.each(transformReference.cropResizes)(
    'equals PyTorch to single precision: $box',
    ({ box, ...stored }) => {
      const result = resizeCrop(source, box, 16, 16);
      const expected = storedFloats(stored);
      expect(result.values).toHaveLength(expected.length);
      const greatest = result.values.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - expected[i]!)),
        0,
      );
      expect(greatest).toBeLessThan(5e-5); // of 255
    },
  );

  it('treats every frame and channel alike, and leaves its input alone', () => {
    const { values, width, height } = source;
    const clip = { values: new Float32Array(6 * width * height), frames: 2, width, height };
    const area = width * height;
    for (let c = 0; c < 3; c++) {
      clip.values.set(values.subarray(c * area, (c + 1) * area), 2 * c * area);
      clip.values.set(
        values.subarray(c * area, (c + 1) * area).map((v) => -v),
        (2 * c + 1) * area,
      );
    }
    const before = clip.values.slice();
    const box = { x: 7, y: 5, width: 30, height: 20 };
    const one = resizeCrop(source, box, 9, 12).values;
    const two = resizeCrop(clip, box, 9, 12).values;
    for (let c = 0; c < 3; c++) {
      const plane = one.subarray(c * 108, (c + 1) * 108);
      expect(two.subarray(2 * c * 108, (2 * c + 1) * 108)).toEqual(plane);
      expect(two.subarray((2 * c + 1) * 108, (2 * c + 2) * 108)).toEqual(plane.map((v) => -v));
    }
    expect(clip.values).toEqual(before);
  });

  it('gives the box itself where its size is kept, and refuses boxes outside', () => {
    const whole = { x: 0, y: 0, width: source.width, height: source.height };
    expect(resizeCrop(source, whole, source.width, source.height).values).toEqual(source.values);
    expect(() => resizeCrop(source, { ...whole, x: 1 }, 4, 4)).toThrow(/does not lie in frames of 53×37/);
    expect(() => resizeCrop(source, { ...whole, height: 0 }, 4, 4)).toThrow(RangeError);
    expect(() => resizeCrop(source, whole, 4, 0)).toThrow(/4×0/);
    expect(() => resizeCrop({ ...source, frames: 2 }, whole, 4, 4)).toThrow(/has 11766 values/);
  });
});

describe('resized crops on the GPU', () => {
  const runtime = useRuntime();

  it.each(transformReference.cropResizes)(
    'equal PyTorch to single precision: $box',
    async ({ box, ...stored }) => {
      const image = referenceImage('resize.src');
      const values = await croppedImage(runtime(), image, box, { width: 16, height: 16 });
      const expected = storedFloats(stored);
      values.forEach((value, i) => {
        const channel = Math.floor(i / 256) as 0 | 1 | 2;
        const level = 255 * (value * IMAGENET_DEVIATION[channel] + IMAGENET_MEAN[channel]);
        expect(Math.abs(level - expected[i]!)).toBeLessThan(8e-5); // of 255, normalising included
      });
    },
  );
});

describe('drawRandomCrop', () => {
  it('makes a box of the drawn area, aspect and place', () => {
    // Area 0.08 + 0.92 · 0.5 = 0.54 of 160², aspect at the geometric mean, 1: a square of edge √13824 ≈ 117.6.
    const random = scripted({ uniforms: [0.5, 0.5], integers: [42, 3] });
    expect(drawRandomCrop(160, 160, random)).toEqual({ x: 3, y: 42, width: 118, height: 118 });
  });

  it('tries again when a box does not fit, and takes the middle after ten', () => {
    const wide = [0.999, 0.999];
    const then = scripted({ uniforms: [...wide, ...wide, 0.5, 0.5], integers: [0, 0] });
    expect(drawRandomCrop(160, 160, then).width).toBe(118);
    const always = (width: number, height: number) =>
      drawRandomCrop(width, height, scripted({ uniforms: new Array<number[]>(10).fill(wide).flat() }), {
        area: [1, 1],
      });
    expect(always(160, 160)).toEqual({ x: 0, y: 0, width: 160, height: 160 });
    expect(always(100, 300)).toEqual({ x: 0, y: 83, width: 100, height: 133 });
    expect(always(120, 100)).toEqual({ x: 0, y: 0, width: 120, height: 100 });
  });

  it('keeps to its ranges, over all places', () => {
    const random = new PhiloxStream({ seed: 2, purpose: Purpose.crop });
    const boxes = Array.from({ length: 2000 }, () => drawRandomCrop(160, 160, random));
    for (const { x, y, width, height } of boxes) {
      expect(x >= 0 && y >= 0 && x + width <= 160 && y + height <= 160).toBe(true);
      expect(width / height).toBeGreaterThan(0.73);
      expect(width / height).toBeLessThan(1.37);
      expect(width * height).toBeGreaterThan(0.075 * 25600);
    }
    const mean = boxes.reduce((sum, { width, height }) => sum + width * height, 0) / 2000 / 25600;
    expect(mean).toBeGreaterThan(0.45); // a little below 0.54: the largest often do not fit
    expect(mean).toBeLessThan(0.56);
    expect(() => drawRandomCrop(160, 160, random, { area: [0.5, 0.1] })).toThrow(/area is \[0.5, 0.1\]/);
    expect(() => drawRandomCrop(160, 160, random, { aspect: [0, 1] })).toThrow(/aspect/);
  });
});

describe('flipClip', () => {
  it('mirrors every row', () => {
    const values = Float32Array.from({ length: 3 * 2 * 2 * 3 }, (_, i) => i);
    const clip = { values, frames: 2, width: 3, height: 2 };
    flipClip(clip);
    expect([...values.subarray(0, 6)]).toEqual([2, 1, 0, 5, 4, 3]);
    flipClip(clip);
    expect([...values]).toEqual([...values.keys()]);
  });
});

describe('normaliseClip', () => {
  it('separates the channels and brings them to mean 0 and deviation 1', () => {
    const { values, frames } = normaliseClip(Uint8Array.of(0, 128, 255, 10, 20, 30), 1, 1);
    expect(frames).toBe(2);
    const expected = [
      (0 - 0.485) / 0.229,
      (10 / 255 - 0.485) / 0.229,
      (128 / 255 - 0.456) / 0.224,
      (20 / 255 - 0.456) / 0.224,
      (1 - 0.406) / 0.225,
      (30 / 255 - 0.406) / 0.225,
    ];
    expected.forEach((value, i) => expect(values[i]).toBeCloseTo(value, 6));
    expect(() => normaliseClip(new Uint8Array(5), 1, 1)).toThrow(/5 bytes are not frames of 1×1/);
  });
});
