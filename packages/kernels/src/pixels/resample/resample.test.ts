import { describe, expect, it } from 'vitest';
import { testKernel } from '../../testing/kernel-harness.js';
import { useRuntime } from '../../testing/test-runtime.js';
import { resampleKernel } from './resample.cases.js';
import { filterWords } from './resample.js';

describe('resample', () => {
  testKernel(useRuntime(), resampleKernel);

  it('has filters whose weights add up to one, of inputs that exist', () => {
    for (const length of [2, 3, 7, 53, 160, 256, 719]) {
      for (const outputs of [1, 2, 16, 53, 160]) {
        const words = filterWords({ length, outputs });
        const taps = words[0]!;
        for (let i = 0; i < outputs; i++) {
          const [first, ...weights] = words.subarray(1 + i * (taps + 1), 1 + (i + 1) * (taps + 1));
          const sum = weights.reduce((total, weight) => total + weight, 0);
          expect(Math.abs(sum - 2 ** 22)).toBeLessThanOrEqual(taps / 2);
          expect(first! + weights.findLastIndex((weight) => weight > 0)).toBeLessThan(length);
        }
      }
    }
  });
});
