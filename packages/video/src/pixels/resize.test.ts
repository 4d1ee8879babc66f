import { describe, expect, it } from 'vitest';
import { resizeBilinear } from './resize.js';
import { reference, referenceImage } from '../testing/reference.js';

describe('resizeBilinear', () => {
  const source = referenceImage('resize.src');
  const resized = Object.keys(reference.images).filter((name) => name.startsWith('resize.pil_bilinear_'));

  it('has reference images that shrink, grow and keep a side', () => {
    expect(resized).toHaveLength(4);
  });

  it.each(resized)('equals Pillow bit for bit: %s', (name) => {
    const expected = referenceImage(name);
    const result = resizeBilinear(
      source.pixels,
      source.width,
      source.height,
      expected.width,
      expected.height,
    );
    expect(Buffer.compare(result, expected.pixels)).toBe(0);
  });

  it('cuts the box out before it resizes, and writes where it is told to', () => {
    const whole = referenceImage('ms.src');
    const expected = referenceImage('ms.crop_5_3_26_35_to_20');
    const box = { x: 5, y: 3, width: 26, height: 35 };
    const target = new Uint8Array(7 + expected.pixels.length + 5).fill(99);
    resizeBilinear(whole.pixels, whole.width, whole.height, 20, 20, { box, target, targetOffset: 7 });
    expect(Buffer.compare(target.subarray(7, -5), expected.pixels)).toBe(0);
    expect([...target.subarray(0, 7), ...target.subarray(-5)]).toEqual(new Array(12).fill(99));
  });

  it('treats every channel alike, whatever their number', () => {
    const { width, height } = source;
    const red = Uint8Array.from({ length: width * height }, (_, i) => source.pixels[3 * i] as number);
    const expected = resizeBilinear(source.pixels, width, height, 19, 61).filter((_, i) => i % 3 === 0);
    expect([...resizeBilinear(red, width, height, 19, 61, { channels: 1 })]).toEqual([...expected]);
  });

  it.each([
    ['same size', 53, 37],
    ['same width', 53, 11],
    ['same height', 11, 37],
  ])('handles a box in an axis that keeps its size: %s', (_name, width, height) => {
    const box = { x: 2, y: 1, width: 50, height: 30 };
    const cut = resizeBilinear(source.pixels, 53, 37, 50, 30, { box });
    expect(cut[0]).toBe(source.pixels[(53 + 2) * 3]);
    expect([...resizeBilinear(source.pixels, 53, 37, width, height, { box })]).toEqual([
      ...resizeBilinear(cut, 50, 30, width, height),
    ]);
  });

  it('refuses sizes and boxes that make no sense, naming them', () => {
    const image = new Uint8Array(12);
    expect(() => resizeBilinear(image, 2, 2, 0, 4)).toThrow('outputWidth is 0');
    expect(() => resizeBilinear(image, 2, 3, 4, 4)).toThrow('source has 12 bytes');
    expect(() => resizeBilinear(image, 2, 2, 4, 4, { box: { x: 1, y: 0, width: 2, height: 1 } })).toThrow(
      'box',
    );
    expect(() => resizeBilinear(image, 2, 2, 4, 4, { target: new Uint8Array(3) })).toThrow('48 are needed');
  });
});
