import { describe, expect, it } from 'vitest';
import { maskFrames, reconstructFrames } from './reconstruct-frames.js';

// Two frames of 2×2 pixels, cubes of 2 frames × 1 pixel: tokens 0 1 / 2 3.
const small = { frames: 2, imageSize: 2, tubeletSize: 2, patchSize: 1 };
const pixel = (frames: ArrayLike<number>, index: number) =>
  Array.from(frames).slice(index * 3, index * 3 + 3);
const counting = (length: number) => Uint8Array.from({ length }, (_, i) => i);

describe('maskFrames', () => {
  it('greys the masked cubes in every frame of theirs and copies the rest', () => {
    const frames = counting(24);
    const masked = maskFrames(frames, Uint32Array.of(1, 2), small);
    for (const index of [1, 2, 5, 6]) expect(pixel(masked, index)).toEqual([128, 128, 128]);
    for (const index of [0, 3, 4, 7]) expect(pixel(masked, index)).toEqual(pixel(frames, index));
    expect(frames).toEqual(counting(24));
  });

  it('finds cubes of several pixels in later slots', () => {
    // 4 frames of 4×4 in cubes of 2×2×2: token 6 is slot 1, lower left.
    const clip = { frames: 4, imageSize: 4, tubeletSize: 2, patchSize: 2 };
    const masked = maskFrames(new Uint8Array(4 * 16 * 3), Uint32Array.of(6), clip);
    const grey = Array.from({ length: 64 }, (_, i) => i).filter((i) => pixel(masked, i)[0] === 128);
    expect(grey).toEqual([2, 3].flatMap((frame) => [8, 9, 12, 13].map((place) => frame * 16 + place)));
  });

  it('refuses tokens and frames that are not of the clip', () => {
    expect(() => maskFrames(new Uint8Array(24), Uint32Array.of(4), small)).toThrow('token 4');
    expect(() => maskFrames(new Uint8Array(23), Uint32Array.of(0), small)).toThrow('frames has 23 values');
  });
});

describe('reconstructFrames', () => {
  const frames = counting(24);
  const cubes = {
    masked: Uint32Array.of(3),
    // Frame 0: r g b, then what frame 1 differs by.
    prediction: Float32Array.of(1, -1, 0, 0.5, -0.5, 40),
    mean: Float32Array.of(0.4, 0.5, 0.2),
    deviation: Float32Array.of(0.4, 0.1, 0.1),
  };

  it('undoes the normalisation: appearance · σ + μ, and differences on grey or added', () => {
    const { parts, whole } = reconstructFrames(frames, cubes, small, 'difference');
    // 255 · (0.4 + 0.4), 255 · (−0.1 + 0.5), 255 · 0.2
    expect(pixel(parts, 3)).toEqual([204, 102, 51]);
    expect(pixel(whole, 3)).toEqual([204, 102, 51]);
    // 128 + 255 · (0.2, −0.05, 4): the last is clamped.
    expect(pixel(parts, 7)).toEqual([179, 115, 255]);
    // 255 · (0.6 + 0.4), 255 · (−0.15 + 0.5)
    expect(pixel(whole, 7)).toEqual([255, 89, 255]);
  });

  it('takes pixels of the second frame as they are', () => {
    const { whole } = reconstructFrames(frames, cubes, small, 'pixels');
    expect(pixel(whole, 3)).toEqual([204, 102, 51]);
    // 255 · (0.2 + 0.4), 255 · (−0.05 + 0.5)
    expect(pixel(whole, 7)).toEqual([153, 115, 255]);
  });

  it('leaves visible cubes as they are', () => {
    const { parts, whole } = reconstructFrames(frames, cubes, small, 'difference');
    for (const index of [0, 1, 2, 4, 5, 6]) {
      expect(pixel(parts, index)).toEqual(pixel(frames, index));
      expect(pixel(whole, index)).toEqual(pixel(frames, index));
    }
  });

  it('gives the clip back when the predictions are its normalised pixels', () => {
    const clip = { frames: 2, imageSize: 4, tubeletSize: 2, patchSize: 2 };
    const original = Uint8Array.from({ length: 2 * 16 * 3 }, (_, i) => (i * 37) % 251);
    const masked = Uint32Array.of(0, 3);
    const corners = [0, 10];
    const at = (cube: number, frame: number, place: number, channel: number) =>
      original[(frame * 16 + corners[cube]! + Math.floor(place / 2) * 4 + (place % 2)) * 3 + channel]! / 255;
    const [mean, deviation] = [Float32Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6), new Float32Array(6).fill(0.25)];
    const prediction = new Float32Array(2 * 24);
    for (let i = 0; i < prediction.length; i++) {
      const [cube, frame, place, channel] = [
        Math.floor(i / 24),
        Math.floor(i / 12) % 2,
        Math.floor(i / 3) % 4,
        i % 3,
      ];
      const z = (of: number) => (at(cube, of, place, channel) - mean[cube * 3 + channel]!) / 0.25;
      prediction[i] = frame === 0 ? z(0) : z(1) - z(0);
    }
    const { whole } = reconstructFrames(
      original,
      { masked, prediction, mean, deviation },
      clip,
      'difference',
    );
    expect(Array.from(whole)).toEqual(Array.from(original));
  });

  it('refuses predictions of another size', () => {
    const wrong = { ...cubes, prediction: new Float32Array(5) };
    expect(() => reconstructFrames(frames, wrong, small, 'difference')).toThrow(
      'prediction has 5 values instead of 6',
    );
  });
});
