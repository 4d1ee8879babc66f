import { describe, expect, it } from 'vitest';
import { framesWithin, testClipFrameIndices, type VideoInfo } from '@tubelet/video';
import { planWindows, windowFrameStep } from './predict-windows.js';

/** A video of so many frames at 25 a second, the first at `begin` seconds. */
function video(frameCount: number, begin = 0): VideoInfo {
  return {
    path: 'face.mp4',
    kind: 'video',
    width: 32,
    height: 32,
    frameCount,
    framesPerSecond: 25,
    durationSeconds: frameCount / 25,
    timesSeconds: Float64Array.from({ length: frameCount }, (_, i) => begin + i / 25),
    seekable: true,
  };
}

const spans = (info: VideoInfo, windowSeconds: number, hopSeconds: number) =>
  planWindows(info, { windowSeconds, hopSeconds }).map(({ startSeconds, endSeconds }) => [
    startSeconds,
    endSeconds,
  ]);

describe('windows', () => {
  it('come one every hop and end with the video', () => {
    expect(spans(video(100), 2, 1)).toEqual([
      [0, 2],
      [1, 3],
      [2, 4],
    ]);
    expect(spans(video(110), 2, 1)).toEqual([
      [0, 2],
      [1, 3],
      [2, 4],
      [2.4, 4.4],
    ]);
    expect(spans(video(100), 1, 1.5)).toEqual([
      [0, 1],
      [1.5, 2.5],
      [3, 4],
    ]);
  });

  it('have times without the traces of floating point', () => {
    expect(spans(video(20), 0.2, 0.1).slice(2, 4)).toEqual([
      [0.2, 0.4],
      [0.3, 0.5],
    ]);
  });

  it('of a short video are all of it', () => {
    expect(spans(video(10), 2, 1)).toEqual([[0, 0.4]]);
    expect(spans(video(1), 2, 1)).toEqual([[0, 0.04]]);
  });

  it('cover every frame, also where the first is shown late', () => {
    for (const info of [video(100), video(110), video(99, 0.02), video(7), video(103, 0.5)]) {
      const covered = new Set<number>();
      for (const window of planWindows(info, { windowSeconds: 1, hopSeconds: 0.5 })) {
        const { begin, end } = framesWithin(info, window);
        for (let i = begin; i < end; i++) covered.add(i);
      }
      expect(covered.size).toBe(info.frameCount);
    }
  });

  it('of a folder of frames count its frames', () => {
    const folder: VideoInfo = { ...video(50), kind: 'frames', timesSeconds: new Float64Array(0) };
    expect(spans(folder, 1, 1)).toEqual([
      [0, 1],
      [1, 2],
    ]);
  });
});

describe('the frame step of a window', () => {
  it.each([
    [100, 4],
    [61, 4],
    [60, 3],
    [25, 1],
    [10, 1],
  ])('of %d frames is %d', (frameCount, step) => {
    expect(windowFrameStep(frameCount, { frames: 16, step: 4 })).toBe(step);
  });

  it('is as wide as goes without a repeated frame', () => {
    for (let frameCount = 16; frameCount < 80; frameCount++) {
      const repeats = (step: number) => {
        const [clip] = testClipFrameIndices(frameCount, 1, { frames: 16, step });
        return new Set(clip).size < 16;
      };
      const step = windowFrameStep(frameCount, { frames: 16, step: 4 });
      expect(repeats(step)).toBe(false);
      if (step < 4) expect(repeats(step + 1)).toBe(true);
    }
  });

  it('of a clip of one frame stays', () => {
    expect(windowFrameStep(3, { frames: 1, step: 4 })).toBe(4);
  });
});
