import { describe, expect, it } from 'vitest';
import { testKernel } from '../../testing/kernel-harness.js';
import { testRandom } from '../../testing/random.js';
import { useRuntime } from '../../testing/test-runtime.js';
import { unpackKernel } from './unpack.cases.js';
import { codedFrameBytes, unpackFrames, unpackedStride, UNPACK_RECORD } from './unpack.js';
import { exactRgb, unpackReference } from './unpack.reference.js';

describe('unpack', () => {
  const runtime = useRuntime();

  testKernel(runtime, unpackKernel);

  it('has a reference within a hair of rounding the exact conversion', () => {
    const random = testRandom(3);
    for (const matrix of ['bt601', 'bt709', 'bt2020'] as const) {
      for (const fullRange of [false, true]) {
        const frame = { width: 52, height: 30, colour: { matrix, fullRange } };
        const bytes = Uint8Array.from({ length: codedFrameBytes(frame) }, () => random.integer(256));
        const words = unpackReference(frame, 1, bytes);
        exactRgb(frame, bytes).forEach((value, i) => {
          const word = words[Math.floor(i / 3 / 52) * unpackedStride(52) + (Math.floor(i / 3) % 52)]!;
          const byte = (word >> (8 * (i % 3))) & 255;
          expect(Math.abs(byte - Math.min(Math.max(value, 0), 255))).toBeLessThan(0.51);
        });
      }
    }
  });

  it('refuses bytes that are none, and records of another length', () => {
    runtime().scope(() => {
      const [bytes, jobs] = [runtime().empty([64], 'u8'), runtime().empty([1, UNPACK_RECORD], 'u32')];
      const pixels = runtime().empty([64], 'u32');
      const of = { bytes, jobs, pixels, planar: false, width: 4, height: 4 };
      expect(() => unpackFrames(runtime(), { ...of, bytes: pixels })).toThrow(
        /bytes is u32\[64\]: give a u8/,
      );
      expect(() => unpackFrames(runtime(), { ...of, jobs: pixels })).toThrow(/u32 array \[jobs, 15\]/);
    });
  });
});
