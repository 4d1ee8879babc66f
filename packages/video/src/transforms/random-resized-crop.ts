/** Random resized crop: a box of random area and aspect, the same for all frames, brought to the frames' full size. */
import type { Box } from '../resize';
import { checkBox, checkPlanes, type ClipPlanes } from './clip-planes';
import { logUniform, uniformBetween, type RandomNumbers } from './random';

export interface RandomCropOptions {
  /** Least and greatest area, as fractions of the frame's; default 0.08 to 1. */
  area?: readonly [number, number];
  /** Least and greatest width over height; default 3/4 to 4/3. */
  aspect?: readonly [number, number];
}

const TRIES = 10;

/** The largest box in the middle whose aspect is allowed. */
function middleBox(width: number, height: number, [low, high]: readonly [number, number]): Box {
  const aspect = width / height;
  const size =
    aspect < low
      ? { width, height: Math.round(width / low) }
      : aspect > high
        ? { width: Math.round(height * high), height }
        : { width, height };
  return {
    x: Math.floor((width - size.width) / 2),
    y: Math.floor((height - size.height) / 2),
    ...size,
  };
}

/**
 * Draws a box: its area uniform, its aspect uniform in the logarithm, its place uniform. After ten boxes that do not
 * fit, it is the largest one in the middle.
 *
 * @throws RangeError for a range that is none.
 */
export function drawRandomCrop(
  width: number,
  height: number,
  random: RandomNumbers,
  { area = [0.08, 1], aspect = [3 / 4, 4 / 3] }: RandomCropOptions = {},
): Box {
  for (const [name, [low, high]] of Object.entries({ area, aspect })) {
    if (!(low > 0 && high >= low)) throw new RangeError(`${name} is [${low}, ${high}]: not a range above 0.`);
  }
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const pixels = width * height * uniformBetween(...area, random);
    const ratio = logUniform(...aspect, random);
    const boxWidth = Math.round(Math.sqrt(pixels * ratio));
    const boxHeight = Math.round(Math.sqrt(pixels / ratio));
    if (boxWidth < 1 || boxHeight < 1 || boxWidth > width || boxHeight > height) continue;
    const y = random.integer(height - boxHeight + 1);
    const x = random.integer(width - boxWidth + 1);
    return { x, y, width: boxWidth, height: boxHeight };
  }
  return middleBox(width, height, aspect);
}

/** For each output position: the two inputs it lies between, and the weight of the second. */
function neighbours(inputs: number, outputs: number) {
  const scale = Math.fround(inputs / outputs);
  const first = new Int32Array(outputs);
  const second = new Int32Array(outputs);
  const weight = new Float32Array(outputs);
  for (let i = 0; i < outputs; i++) {
    const place = Math.max(Math.fround(Math.fround(scale * (i + 0.5)) - 0.5), 0);
    first[i] = Math.min(Math.floor(place), inputs - 1);
    second[i] = Math.min(first[i]! + 1, inputs - 1);
    weight[i] = place - first[i]!;
  }
  return { first, second, weight };
}

/**
 * Cuts the box out of all frames and resizes it bilinearly between the four nearest pixel centres, however much it
 * shrinks: PyTorch's `interpolate` with `align_corners=False` and no antialiasing.
 *
 * @returns a new clip of width × height.
 * @throws RangeError for a box outside the clip, or a size that is no positive integer.
 */
export function resizeCrop(clip: ClipPlanes, box: Box, width: number, height: number): ClipPlanes {
  checkPlanes(clip);
  checkBox(box, clip);
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
    throw new RangeError(`a size of ${width}×${height} pixels: give positive integers.`);
  }
  const { first: left, second: right, weight: along } = neighbours(box.width, width);
  const rows = neighbours(box.height, height);
  const planes = 3 * clip.frames;
  const source = clip.values;
  const values = new Float32Array(planes * width * height);
  for (let plane = 0, to = 0; plane < planes; plane++) {
    const origin = (plane * clip.height + box.y) * clip.width + box.x;
    for (let y = 0; y < height; y++) {
      const above = origin + rows.first[y]! * clip.width;
      const below = origin + rows.second[y]! * clip.width;
      const down = rows.weight[y]!;
      for (let x = 0; x < width; x++, to++) {
        const share = along[x]!;
        const upper = source[above + left[x]!]! * (1 - share) + source[above + right[x]!]! * share;
        const lower = source[below + left[x]!]! * (1 - share) + source[below + right[x]!]! * share;
        values[to] = upper * (1 - down) + lower * down;
      }
    }
  }
  return { values, frames: clip.frames, width, height };
}

/** Mirrors all frames left to right, in place. */
export function flipClip(clip: ClipPlanes): void {
  checkPlanes(clip);
  for (let begin = 0; begin < clip.values.length; begin += clip.width) {
    clip.values.subarray(begin, begin + clip.width).reverse();
  }
}
