/** Which frames of a video make a clip, in fine-tuning and in testing. */
import { PAPER_CLIP, type ClipShape } from '../sampling/sampling.js';
import type { RandomNumbers } from './random.js';

function checkFrameCount(frameCount: number): void {
  if (!Number.isInteger(frameCount) || frameCount < 1) {
    throw new RangeError(`frameCount is ${frameCount}: a video has at least one frame.`);
  }
}

/** `count` numbers from `start` to `end`, both included. */
function linspace(start: number, end: number, count: number): number[] {
  const step = (end - start) / (count - 1);
  return Array.from({ length: count }, (_, i) => {
    if (i === 0) return start;
    return i === count - 1 ? end : i * step + start;
  });
}

/**
 * How many first frames a random clip can have: `frameCount − frames·step`, one fewer than would fit, as in the
 * reference; 0 for a video of `frames·step` frames or fewer, whose clip leaves no choice.
 */
export function trainClipStartCount(frameCount: number, { frames, step }: ClipShape = PAPER_CLIP): number {
  return Math.max(frameCount - frames * step, 0);
}

/**
 * The frames of a clip for training (and validation, as in the reference): spread evenly over the `frames·step`
 * frames from `start` on, the last of them included, so that their distance is a little over `step`. A video that is
 * no longer than that gives `frameCount / step` frames spread over the whole of it, then its last frame.
 *
 * @param start one of the possible first frames, 0 … `trainClipStartCount` − 1; left out where there is none.
 * @returns `frames` indices in 0 … frameCount − 1, never falling.
 * @throws RangeError for a video without frames, or a `start` that is none of the possible ones.
 */
export function trainClipFrameIndices(
  frameCount: number,
  start?: number,
  { frames, step }: ClipShape = PAPER_CLIP,
): number[] {
  checkFrameCount(frameCount);
  const starts = trainClipStartCount(frameCount, { frames, step });
  if (starts === 0) {
    if (start !== undefined) {
      throw new RangeError(`start is ${start}: a clip of a video of ${frameCount} frames leaves no choice.`);
    }
    const spread = linspace(0, frameCount, Math.floor(frameCount / step));
    const indices = spread.map((index) => Math.trunc(Math.min(index, frameCount - 1)));
    return [...indices, ...new Array<number>(frames - indices.length).fill(frameCount - 1)];
  }
  if (start === undefined || !Number.isInteger(start) || start < 0 || start >= starts) {
    throw new RangeError(
      `start is ${start}: a clip of a video of ${frameCount} frames starts at 0 to ${starts - 1}.`,
    );
  }
  const past = start + frames * step;
  return linspace(start, past, frames).map((index) => Math.trunc(Math.min(index, past - 1)));
}

/** {@link trainClipFrameIndices} from a random first frame, uniform over the possible ones. */
export function drawTrainClipFrameIndices(
  frameCount: number,
  random: Pick<RandomNumbers, 'integer'>,
  shape: ClipShape = PAPER_CLIP,
): number[] {
  const starts = trainClipStartCount(frameCount, shape);
  return trainClipFrameIndices(frameCount, starts === 0 ? undefined : random.integer(starts), shape);
}

/**
 * The frames of the clips that a video is tested with: of every `step`-th frame (the last of them repeated where
 * there are fewer than a clip takes), `clips` runs of `frames`, from the first such run to the last, evenly placed.
 * One clip alone is the first run.
 *
 * @returns [clips][frames] indices in 0 … frameCount − 1.
 * @throws RangeError for a video without frames, or a number of clips that is not a positive integer.
 */
export function testClipFrameIndices(
  frameCount: number,
  clips = 2,
  { frames, step }: ClipShape = PAPER_CLIP,
): number[][] {
  checkFrameCount(frameCount);
  if (!Number.isInteger(clips) || clips < 1)
    throw new RangeError(`clips is ${clips}: not a positive integer.`);
  const all: number[] = [];
  for (let index = 0; index < frameCount; index += step) all.push(index);
  while (all.length < frames) all.push(all.at(-1) as number);
  const spacing = clips === 1 ? 0 : (all.length - frames) / (clips - 1);
  return Array.from({ length: clips }, (_, clip) => {
    const begin = Math.trunc(clip * spacing);
    return all.slice(begin, begin + frames);
  });
}
