/** Which part of a frame is used: the fixed crop of a source, and the random crop of the augmentation. */
import type { Box } from './resize.js';

/**
 * The fixed crop, before frames are brought to their square size:
 * - `voxceleb`: the top centre, where VoxCeleb2's detector puts the face: rows 0–159, columns 32–191 of a frame of
 *   224×224, and the same part of frames of other sizes;
 * - `centre`: the largest square in the middle;
 * - `none`: the whole frame, its aspect ratio given up.
 */
export type CropMode = 'voxceleb' | 'centre' | 'none';

/** All ways to crop, as options name them. */
export const CROP_MODES: readonly CropMode[] = ['voxceleb', 'centre', 'none'];

const VOXCELEB_FRAME_SIZE = 224;
const VOXCELEB_CROP_SIZE = 160;

/** Chroma is stored at half resolution in most videos: an even number keeps colours from being shifted. */
const evenBelow = (value: number) => Math.floor(value / 2) * 2;

/**
 * The part of a frame that a crop mode keeps.
 *
 * @param size edge of the frames to be made, in pixels; with `voxceleb`, sizes above 160 keep as much more of the
 *   frame (192: rows 0–191, columns 16–207).
 */
export function cropBox(mode: CropMode, width: number, height: number, size: number): Box {
  if (mode === 'none') return { x: 0, y: 0, width, height };
  const shortSide = Math.min(width, height);
  if (mode === 'centre') {
    const [x, y] = [evenBelow((width - shortSide) / 2), evenBelow((height - shortSide) / 2)];
    return { x, y, width: shortSide, height: shortSide };
  }
  const kept = Math.min(Math.max(size, VOXCELEB_CROP_SIZE), VOXCELEB_FRAME_SIZE) / VOXCELEB_FRAME_SIZE;
  const side = Math.max(evenBelow(Math.round(shortSide * kept)), 1);
  return { x: evenBelow((width - side) / 2), y: 0, width: side, height: side };
}

/** Source of random integers: `integer(n)` is uniform over 0 … n − 1. */
export interface RandomIntegers {
  integer(n: number): number;
}

const SCALES = [1, 0.875, 0.75, 0.66];
/** Width and height may be at most this many scales apart. */
const MAXIMUM_DISTORTION = 1;
/** A side this close to the full size becomes the full size. */
const SNAP_PIXELS = 3;

/** The 13 places of a crop, in quarters of the room that it leaves: corners, centre, edge middles, quarter points. */
const PLACES: readonly (readonly [number, number])[] = [
  [0, 0],
  [4, 0],
  [0, 4],
  [4, 4],
  [2, 2],
  [0, 2],
  [4, 2],
  [2, 4],
  [2, 0],
  [1, 1],
  [3, 1],
  [1, 3],
  [3, 3],
];

/** The sizes [width, height] of multi-scale crops of square frames of edge `size`: 10 pairs at any size. */
export function multiScaleCropSizes(size: number): [number, number][] {
  const sides = SCALES.map((scale) => Math.trunc(size * scale)).map((side) =>
    Math.abs(side - size) < SNAP_PIXELS ? size : Math.max(side, 1),
  );
  return sides.flatMap((height, i) =>
    sides.flatMap((width, j): [number, number][] =>
      Math.abs(i - j) <= MAXIMUM_DISTORTION ? [[width, height]] : [],
    ),
  );
}

/** The 13 places [x, y] of a crop of width × height in square frames of edge `size`. */
export function multiScaleCropOffsets(size: number, width: number, height: number): [number, number][] {
  const stepX = Math.floor((size - width) / 4);
  const stepY = Math.floor((size - height) / 4);
  return PLACES.map(([x, y]) => [x * stepX, y * stepY]);
}

/** Draws a multi-scale crop: one integer for the size, then one for the place, both uniform. */
export function drawMultiScaleCrop(size: number, random: RandomIntegers): Box {
  const sizes = multiScaleCropSizes(size);
  const [width, height] = sizes[random.integer(sizes.length)] as [number, number];
  const offsets = multiScaleCropOffsets(size, width, height);
  const [x, y] = offsets[random.integer(offsets.length)] as [number, number];
  return { x, y, width, height };
}
