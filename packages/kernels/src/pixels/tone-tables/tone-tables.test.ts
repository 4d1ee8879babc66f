import { describe, expect, it } from 'vitest';
import { testKernel } from '../../testing/kernel-harness.js';
import { useRuntime } from '../../testing/test-runtime.js';
import { toneTablesKernel } from './tone-tables.cases.js';
import { autoContrastShortfalls } from './tone-tables.js';

describe('tone tables', () => {
  testKernel(useRuntime(), toneTablesKernel);

  it('know all levels at which AutoContrast falls short of the exact quotient', () => {
    const words = autoContrastShortfalls();
    let [short, unlike] = [0, 0];
    for (let lowest = 0; lowest < 256; lowest++) {
      for (let highest = lowest + 1; highest < 256; highest++) {
        const range = highest - lowest;
        const scale = 255 / range;
        const head = words[range]!;
        const divisor = head >>> 24;
        for (let level = lowest; level <= highest; level++) {
          const scaled = (level - lowest) * 255;
          const exact = Math.floor(scaled / range);
          const bit = (head & 0xffffff) + lowest * (divisor + 1) + (exact * divisor) / 255;
          const isShort = scaled % range === 0 && ((words[bit >> 5]! >>> (bit & 31)) & 1) === 1;
          if (isShort) short++;
          if (Math.trunc(level * scale + -lowest * scale) !== exact - (isShort ? 1 : 0)) unlike++;
        }
      }
    }
    expect(unlike).toBe(0);
    expect(short).toBe(12_094);
  });
});
