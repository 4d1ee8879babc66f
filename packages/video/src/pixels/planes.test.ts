import { describe, expect, it } from 'vitest';
import { planesToRgb, turnFrame, type Colour } from './planes.js';
import { resizeBilinear } from './resize.js';

const LIMITED: Colour = { matrix: 'bt601', fullRange: false };
const whole = (width: number, height: number) => ({ x: 0, y: 0, width, height });

/** A frame of one colour. */
function flatFrame(width: number, height: number, [y, u, v]: readonly [number, number, number]) {
  const chromaBytes = Math.ceil(width / 2) * Math.ceil(height / 2);
  const data = new Uint8Array(width * height + 2 * chromaBytes).fill(y, 0, width * height);
  data.fill(u, width * height, width * height + chromaBytes).fill(v, width * height + chromaBytes);
  return { width, height, data };
}

/** The first pixel of a frame of one colour. */
function rgbOf(yuv: readonly [number, number, number], colour: Colour): number[] {
  const target = new Uint8ClampedArray(4 * 4 * 3);
  planesToRgb(flatFrame(6, 5, yuv), colour, whole(6, 5), 4, target);
  for (let i = 3; i < target.length; i++) expect(target[i]).toBe(target[i - 3]);
  return [...target.subarray(0, 3)];
}

describe('planesToRgb', () => {
  it.each([
    // Black, white and the primaries as ITU-R BT.601 and BT.709 code them in limited range, rounded.
    [[16, 128, 128], [0, 0, 0], LIMITED],
    [[235, 128, 128], [255, 255, 255], LIMITED],
    [[81, 90, 240], [254, 0, 0], LIMITED],
    [[145, 54, 34], [0, 255, 1], LIMITED],
    [[63, 102, 240], [255, 1, 0], { matrix: 'bt709', fullRange: false }],
    [[32, 240, 118], [1, 0, 255], { matrix: 'bt709', fullRange: false }],
    [[76, 85, 255], [254, 0, 0], { matrix: 'bt601', fullRange: true }],
    [[200, 128, 128], [200, 200, 200], { matrix: 'bt2020', fullRange: true }],
  ] as const)('converts %j to %j', (yuv, rgb, colour) => {
    rgbOf(yuv, colour).forEach((value, i) => expect(Math.abs(value - rgb[i]!)).toBeLessThanOrEqual(1));
  });

  it('scales as the resizing of images does, cut at odd pixels as well', () => {
    const [width, height] = [37, 29];
    const frame = flatFrame(width, height, [0, 128, 128]);
    for (let i = 0; i < width * height; i++) frame.data[i] = (i * 7919) % 251;
    for (const [box, size] of [
      [whole(width, height), 16],
      [{ x: 5, y: 3, width: 21, height: 22 }, 16],
      [{ x: 5, y: 3, width: 11, height: 9 }, 24],
    ] as const) {
      const target = new Uint8ClampedArray(size * size * 3);
      planesToRgb(frame, { matrix: 'bt601', fullRange: true }, box, size, target);
      const grey = resizeBilinear(frame.data, width, height, size, size, { channels: 1, box });
      grey.forEach((value, i) => expect(Math.abs(target[3 * i]! - value)).toBeLessThanOrEqual(1));
    }
  });

  it('puts chroma in the middle of the pixels that share it', () => {
    // Two columns of chroma: red in the left half, none in the right one.
    const frame = flatFrame(4, 4, [128, 128, 128]);
    for (const place of [20, 22]) frame.data[place] = 228;
    const target = new Uint8ClampedArray(4 * 4 * 3);
    planesToRgb(frame, { matrix: 'bt601', fullRange: true }, whole(4, 4), 4, target);
    const reds = [0, 1, 2, 3].map((x) => target[3 * x]);
    // v = 228, ¾ · 228 + ¼ · 128, ¼ · 228 + ¾ · 128, 128; red is 128 + 1.402 (v − 128).
    expect(reds).toEqual([255, 233, 163, 128]);
  });
});

describe('turnFrame', () => {
  it('turns clockwise, the planes of odd sizes as well', () => {
    const frame = { width: 3, height: 2, data: Uint8Array.from([1, 2, 3, 4, 5, 6, 10, 11, 20, 21]) };
    expect(turnFrame(frame, 90)).toEqual({
      width: 2,
      height: 3,
      data: Uint8Array.from([4, 1, 5, 2, 6, 3, 10, 11, 20, 21]),
    });
    expect(turnFrame(frame, 180).data).toEqual(Uint8Array.from([6, 5, 4, 3, 2, 1, 11, 10, 21, 20]));
    expect(turnFrame(frame, 270).data).toEqual(Uint8Array.from([3, 6, 2, 5, 1, 4, 11, 10, 21, 20]));
  });
});
