import { PhiloxStream, streamPurpose } from '@tubelet/kernels';
import { describe, expect, it } from 'vitest';
import {
  drawTrainClipFrameIndices,
  testClipFrameIndices,
  trainClipFrameIndices,
  trainClipStartCount,
} from './frame-indices.js';
import { scripted, transformReference } from './testing/transform-reference.js';

describe('trainClipFrameIndices', () => {
  it.each(transformReference.trainFrameIndices)(
    'are those of the reference: $frameCount frames, step $step, start $start',
    ({ frameCount, step, start, indices }) => {
      const shape = { frames: 16, step };
      expect(trainClipStartCount(frameCount, shape) === 0).toBe(start === null);
      expect(trainClipFrameIndices(frameCount, start ?? undefined, shape)).toEqual(indices);
    },
  );

  it('refuse a start that the video has not, and a video without frames', () => {
    expect(trainClipStartCount(65)).toBe(1);
    expect(() => trainClipFrameIndices(65, 1)).toThrow(/start is 1.*starts at 0 to 0/);
    expect(() => trainClipFrameIndices(65)).toThrow(RangeError);
    expect(() => trainClipFrameIndices(64, 0)).toThrow(/leaves no choice/);
    expect(() => trainClipFrameIndices(0)).toThrow(/frameCount is 0/);
  });

  it('are drawn uniformly over all starts, and without a draw where there is no choice', () => {
    const random = new PhiloxStream({ seed: 1, purpose: streamPurpose(11) });
    const seen = Array.from({ length: 400 }, () => drawTrainClipFrameIndices(70, random)[0]);
    const counts = [0, 1, 2, 3, 4, 5].map((start) => seen.filter((first) => first === start).length);
    expect(counts.reduce((a, b) => a + b)).toBe(400);
    expect(Math.min(...counts)).toBeGreaterThan(40);
    expect(drawTrainClipFrameIndices(5, scripted({}))).toEqual(trainClipFrameIndices(5));
  });
});

describe('testClipFrameIndices', () => {
  it.each(transformReference.testFrameIndices)(
    'are those of the reference: $frameCount frames, step $step',
    ({ frameCount, step, clips }) => {
      expect(testClipFrameIndices(frameCount, 2, { frames: 16, step })).toEqual(clips);
    },
  );

  it('place any number of clips evenly', () => {
    const firsts = (clips: number) =>
      testClipFrameIndices(31, clips, { frames: 16, step: 1 }).map(([i]) => i);
    expect(firsts(1)).toEqual([0]);
    expect(firsts(4)).toEqual([0, 5, 10, 15]);
    expect(firsts(3)).toEqual([0, 7, 15]);
    expect(() => testClipFrameIndices(31, 0)).toThrow(/clips is 0/);
    expect(() => testClipFrameIndices(0)).toThrow(/frameCount is 0/);
  });
});
