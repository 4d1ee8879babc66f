/** From times to frames: the part of a video in use, and its segments. */
import type { VideoInfo } from './video-info.js';
import type { TimeRange } from '../sources/video-entry.js';

/** The frames `begin` … `end − 1`. */
export interface FrameRange {
  begin: number;
  end: number;
}

/** The first frame shown at `seconds` or later (frameCount if none). */
function firstFrameAt(info: VideoInfo, seconds: number): number {
  if (info.kind === 'frames') {
    return Math.min(Math.max(Math.ceil(seconds * info.framesPerSecond - 1e-6), 0), info.frameCount);
  }
  let low = 0;
  let high = info.frameCount;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((info.timesSeconds[middle] as number) < seconds - 1e-6) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The frames of a video within a stretch of time; without one, all of them. Empty where the video is shorter. */
export function framesWithin(info: VideoInfo, range: TimeRange = {}): FrameRange {
  const begin = range.startSeconds === undefined ? 0 : firstFrameAt(info, range.startSeconds);
  const end = range.endSeconds === undefined ? info.frameCount : firstFrameAt(info, range.endSeconds);
  return { begin, end: Math.max(begin, end) };
}

/**
 * Cuts frames into segments of equal length, as near to `segmentFrames` as that goes without making any shorter:
 * every frame is in exactly one.
 */
export function cutSegments({ begin, end }: FrameRange, segmentFrames: number): FrameRange[] {
  const count = Math.max(1, Math.floor((end - begin) / segmentFrames));
  const edge = (i: number) => begin + Math.floor(((end - begin) * i) / count);
  return Array.from({ length: count }, (_, i) => ({ begin: edge(i), end: edge(i + 1) }));
}
