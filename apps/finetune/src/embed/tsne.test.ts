import { PhiloxStream, streamPurpose } from '@tubelet/kernels';
import { describe, expect, it } from 'vitest';
import { tsne } from './tsne.js';

/** Three clusters of 20 points in 8 dimensions, one after the other. */
const random = new PhiloxStream({ seed: 1, purpose: streamPurpose(200) });
const points = Array.from({ length: 60 }, (_, i) =>
  Array.from({ length: 8 }, (_, c) => (c === Math.floor(i / 20) ? 6 : 0) + random.normal()),
);
const options = { perplexity: 10, seed: 3 };

describe('t-SNE', () => {
  it('keeps clusters together and apart from others', () => {
    const places = tsne(points, options);
    const distance = (i: number, j: number) =>
      Math.hypot(places[i]![0] - places[j]![0], places[i]![1] - places[j]![1]);
    places.forEach((_, i) => {
      const nearest = [...places.keys()]
        .filter((j) => j !== i)
        .sort((a, b) => distance(i, a) - distance(i, b));
      expect(nearest.slice(0, 5).map((j) => Math.floor(j / 20))).toEqual(Array(5).fill(Math.floor(i / 20)));
    });
  });

  it('gives the same places for the same seed, others for another, around 0', () => {
    const places = tsne(points, options);
    expect(tsne(points, options)).toEqual(places);
    expect(tsne(points, { ...options, seed: 4 })).not.toEqual(places);
    for (const axis of [0, 1] as const) {
      expect(places.reduce((sum, place) => sum + place[axis], 0)).toBeCloseTo(0, 6);
    }
  });

  it('takes points that are all the same', () => {
    const same = tsne(Array<number[]>(12).fill([1, 2]), { perplexity: 3, seed: 0 });
    expect(same.flat().every(Number.isFinite)).toBe(true);
  });

  it('refuses fewer points than the perplexity needs', () => {
    expect(() => tsne(points.slice(0, 30), options)).toThrow(RangeError);
  });
});
