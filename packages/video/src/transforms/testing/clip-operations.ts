/** Crop, mirroring and erasing on the processor: what kernels are held to. */
import type { Box } from '../../pixels/resize.js';
import type { RandomNumbers } from '../random.js';
import { checkBox, checkPlanes, type ClipPlanes } from './clip-planes.js';

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
 * @throws RangeError for a box outside the clip, or a size that is not a positive integer.
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

/** Fills the box of every frame with normal noise, fresh for each pixel, channel and frame; in place. */
export function eraseBox(clip: ClipPlanes, box: Box, random: RandomNumbers): void {
  checkPlanes(clip);
  checkBox(box, clip);
  for (let plane = 0; plane < 3 * clip.frames; plane++) {
    for (let y = box.y; y < box.y + box.height; y++) {
      const begin = (plane * clip.height + y) * clip.width + box.x;
      for (let i = begin; i < begin + box.width; i++) clip.values[i] = random.normal();
    }
  }
}
