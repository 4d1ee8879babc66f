import { describe, expect, it } from 'vitest';
import { testKernel } from '../../testing/kernel-harness.js';
import { useRuntime } from '../../testing/test-runtime.js';
import { mixClipsKernel } from './mix-clips.cases.js';
import { mixClips } from './mix-clips.js';

describe('mix clips', () => {
  const runtime = useRuntime();

  testKernel(runtime, mixClipsKernel);

  it('refuses an odd batch, and a box outside the frames', () => {
    runtime().scope(() => {
      const batch = runtime().empty([3, 1, 2, 2]);
      expect(() => mixClips(runtime(), batch, { lambda: 0.5 })).toThrow(
        /clips is f32\[3, 1, 2, 2\].*give an even number/,
      );
      const box = { top: 0, bottom: 3, left: 0, right: 1 };
      expect(() => mixClips(runtime(), batch.slice(0, 0, 2), { lambda: 0.5, box })).toThrow(
        /rows 0 to 3 and columns 0 to 1 are not a box in frames of 2×2/,
      );
    });
  });
});
