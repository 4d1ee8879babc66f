import { describe, expect, it } from 'vitest';
import { testKernel } from '../../testing/kernel-harness.js';
import { useRuntime } from '../../testing/test-runtime.js';
import { toneKernel } from './tone.cases.js';
import { blendTable } from './tone.js';
import { blended } from './tone.reference.js';

describe('tone', () => {
  testKernel(useRuntime(), toneKernel);

  it('has tables that blend as single precision does, from every level to every other', () => {
    for (const factor of [0, 0.1, 0.37, 0.7, 1, 1.3, 1.63, 1.9, -0.4, 100 / 51]) {
      const table = blendTable(factor);
      let wrong = 0;
      for (let from = 0; from < 256; from++) {
        for (let to = 0; to < 256; to++) {
          const word = table[to - from + 255]!;
          const sum = from + (word & 0xffff) - 2 ** 15 + (from >= word >>> 16 ? 1 : 0);
          if (Math.min(Math.max(sum, 0), 255) !== blended(from, to, factor)) wrong++;
        }
      }
      expect(wrong, `factor ${factor}`).toBe(0);
    }
  });
});
