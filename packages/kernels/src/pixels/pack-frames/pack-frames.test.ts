import { describe, expect, it } from 'vitest';
import { testKernel } from '../../testing/kernel-harness.js';
import { useRuntime } from '../../testing/test-runtime.js';
import { packFramesKernel } from './pack-frames.cases.js';
import { packFrames } from './pack-frames.js';

describe('pack frames', () => {
  const runtime = useRuntime();

  testKernel(runtime, packFramesKernel);

  it('refuses frames of another size', () => {
    runtime().scope(() => {
      const frames = runtime().empty([2, 2, 3], 'u8');
      expect(() => packFrames(runtime(), { pixels: runtime().empty([8], 'u32'), frames })).toThrow(
        /u32\[8\] do not fill u8\[2, 2, 3\]/,
      );
    });
  });
});
