import { describe, expect, it } from 'vitest';
import { clipFrameIndices, clipStartCount } from './sampling.js';
import { reference } from '../testing/reference.js';

describe('clips of pre-training', () => {
  it.each(reference.pretrainFrameIndices)(
    'frames of a video of $frameCount from $start on',
    ({ frameCount, start, startCount, indices }) => {
      // The reference counts 0 where it does not draw: the clip then starts at frame 0, the only choice.
      expect(clipStartCount(frameCount)).toBe(Math.max(startCount, 1));
      expect(clipFrameIndices(frameCount, start ?? 0)).toEqual(indices);
    },
  );

  it('never leaves the video, whatever the start', () => {
    for (const frameCount of [1, 2, 5, 63, 64, 65, 101]) {
      for (let start = 0; start < clipStartCount(frameCount); start++) {
        const indices = clipFrameIndices(frameCount, start);
        expect(indices).toHaveLength(16);
        expect(Math.max(...indices)).toBeLessThan(frameCount);
      }
    }
  });

  it('follows another number of frames and another step', () => {
    expect(clipStartCount(10, { frames: 3, step: 2 })).toBe(5);
    expect(clipFrameIndices(10, 4, { frames: 3, step: 2 })).toEqual([4, 6, 8]);
  });

  it('refuses a start outside the video', () => {
    expect(() => clipFrameIndices(10, 10)).toThrow('start is 10');
  });
});
