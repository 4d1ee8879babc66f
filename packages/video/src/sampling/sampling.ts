/** Which frames of a video make a clip, in pre-training. */

export interface ClipShape {
  /** Frames of a clip; 16 in the paper. */
  frames: number;
  /** Distance between two of them in frames of the video; 4 in the paper. */
  step: number;
}

/** The paper's clips: 16 frames, every fourth. */
export const PAPER_CLIP: Readonly<ClipShape> = { frames: 16, step: 4 };

/**
 * How many first frames a clip can have: `frameCount − frames·step + 1`, and 1 (frame 0) where that is less.
 */
export function clipStartCount(frameCount: number, { frames, step }: ClipShape = PAPER_CLIP): number {
  return Math.max(frameCount - frames * step + 1, 1);
}

/**
 * The frames of a clip that starts at frame `start`: every `step`-th one; where the video ends first, the last
 * frame that was reached is repeated. As in the reference, a step is taken only while it stays short of the very
 * last frame.
 *
 * @returns `frames` indices in 0 … frameCount − 1, never falling.
 * @throws RangeError when `start` is not a frame of the video.
 */
export function clipFrameIndices(
  frameCount: number,
  start: number,
  { frames, step }: ClipShape = PAPER_CLIP,
): number[] {
  if (!Number.isInteger(start) || start < 0 || start >= frameCount) {
    throw new RangeError(`start is ${start}: not a frame of a video of ${frameCount} frames.`);
  }
  const indices: number[] = [];
  let index = start;
  for (let i = 0; i < frames; i++) {
    indices.push(index);
    if (index + 1 + step < frameCount) index += step;
  }
  return indices;
}
