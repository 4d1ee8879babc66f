import { describe, expect, it } from 'vitest';
import { testKernel } from '../../testing/kernel-harness.js';
import { testRandom } from '../../testing/random.js';
import { useRuntime } from '../../testing/test-runtime.js';
import { affineKernel, mapsOf } from './affine.cases.js';
import { affineRecord } from './affine.js';
import { affineReference, exactAffine } from './affine.reference.js';

describe('affine', () => {
  testKernel(useRuntime(), affineKernel);

  it('has a reference that cuts what double precision gives, but within a hair of whole numbers', () => {
    const random = testRandom(8);
    const size = { width: 50, height: 41 };
    const frame = Uint32Array.from({ length: size.width * size.height }, () => random.integer(2 ** 24));
    for (const matrix of mapsOf(size)) {
      const exact = exactAffine(frame, size, matrix);
      const words = affineReference(frame, size, matrix);
      const excess = exact.map((value, i) => {
        const byte = (words[Math.floor(i / 3)]! >> (8 * (i % 3))) & 255;
        return byte - Math.min(Math.max(value, 0), 255);
      });
      expect(Math.max(...excess)).toBeLessThan(3e-4);
      expect(Math.min(...excess)).toBeGreaterThan(-1 - 3e-4);
    }
  });

  it('leaves areas of one colour as they are', () => {
    const size = { width: 30, height: 30 };
    for (const level of [1, 77, 255]) {
      const frame = new Uint32Array(900).fill(0x010101 * level);
      for (const matrix of mapsOf(size)) {
        const seen = new Set([...affineReference(frame, size, matrix), 0x010101 * level, 0x808080]);
        expect([...seen].sort()).toEqual([0x010101 * level, 0x808080].sort());
      }
    }
  });

  it('refuses a matrix that is none', () => {
    const job = { source: 0, out: 4, width: 2, height: 2 };
    expect(() => affineRecord({ ...job, matrix: [1, 0, NaN, 0, 1, 0] })).toThrow(
      /matrix is 1, 0, NaN, 0, 1, 0: give numbers below 2\^20/,
    );
  });
});
