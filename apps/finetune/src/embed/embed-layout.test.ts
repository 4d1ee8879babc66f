import { afterEach, describe, expect, it, vi } from 'vitest';
import { PhiloxStream, streamPurpose } from '@tubelet/kernels';
import { defaultNeighbors, layOutFeatures } from './embed-layout.js';

/** Two groups of videos far from each other, in 8 dimensions. */
function groups(perGroup: number): number[][] {
  const random = new PhiloxStream({ seed: 3, purpose: streamPurpose(11) });
  return Array.from({ length: 2 * perGroup }, (_, i) =>
    Array.from({ length: 8 }, (_, k) => random.normal() + (i < perGroup && k === 0 ? 30 : 0)),
  );
}

const options = { neighbors: 8, minDist: 0.1, seed: 0 };
const distance = (a: readonly number[], b: readonly number[]) => Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!);

describe('the layout of features', () => {
  afterEach(() => vi.restoreAllMocks());

  it('keeps neighbours together', () => {
    const places = layOutFeatures(groups(20), options);
    expect(places).toHaveLength(40);
    for (const [i, place] of places.entries()) {
      const others = places.map((other, j) => ({ j, away: j === i ? Infinity : distance(place, other) }));
      const nearest = others.reduce((best, one) => (one.away < best.away ? one : best));
      expect(nearest.j < 20).toBe(i < 20);
    }
  });

  it('is decided by the features and the seed alone', () => {
    const random = vi.spyOn(Math, 'random');
    const places = layOutFeatures(groups(10), options);
    expect(layOutFeatures(groups(10), options)).toEqual(places);
    expect(layOutFeatures(groups(10), { ...options, seed: 1 })).not.toEqual(places);
    expect(random).not.toHaveBeenCalled();
  });

  it('has a place for equal features too', () => {
    const same = Array.from({ length: 6 }, () => new Float32Array([1, 2, 3]));
    for (const place of layOutFeatures(same, { ...options, neighbors: 3 }))
      for (const value of place) expect(Number.isFinite(value)).toBe(true);
  });

  it('of few videos has fewer neighbours', () => {
    expect([3, 4, 10, 30, 31, 1000].map(defaultNeighbors)).toEqual([2, 2, 4, 14, 15, 15]);
    for (const count of [3, 4, 5]) {
      const features = groups(3).slice(0, count);
      expect(layOutFeatures(features, { ...options, neighbors: defaultNeighbors(count) })).toHaveLength(
        count,
      );
    }
  });

  it('needs more videos than neighbours', () => {
    expect(() => layOutFeatures(groups(4), options)).toThrow('8 videos cannot be laid out by 8 neighbours');
    expect(() => layOutFeatures(groups(1), { ...options, neighbors: 1 })).toThrow('give at least 3');
  });
});
