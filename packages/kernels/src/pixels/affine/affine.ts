import mulHighWgsl from '../../philox/mul-high.wgsl';
import type { Cost } from '../../runtime/ledger.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { Variant } from '../../runtime/variants.js';
import { pixelWorkgroups, requireJobs, requireWords } from '../pixel-jobs.js';
import type { PixelPass } from '../tone/tone.js';
import affineWgsl from './affine.wgsl';

export const affineVariants: readonly Variant[] = [{ name: 'pixel', needs: [], prefers: 'any' }];

/** Words of a frame in the jobs of {@link seeThroughMaps}. */
export const AFFINE_RECORD = 22;

/**
 * (a, b, c, d, e, f): the pixel centre (x, y) of the result shows the source at (a·x + b·y + c, d·x + e·y + f). Either
 * coordinate may move; where one of them is x or y itself, nothing is interpolated along it.
 */
export type AffineMatrix = readonly [number, number, number, number, number, number];

/** One frame seen through a map. */
export interface AffineJob {
  readonly matrix: AffineMatrix;
  /** The first pixel of the frame, and of the result, which is elsewhere and as large; rows follow each other. */
  readonly source: number;
  readonly out: number;
  readonly width: number;
  readonly height: number;
}

/** Words of a number below 2³¹ in size: 32 bits behind the point, and the whole part. */
function fixedPoint(value: number): [number, number] {
  const whole = Math.floor(value);
  const fraction = Math.round((value - whole) * 2 ** 32);
  return fraction === 2 ** 32 ? [0, (whole + 1) >>> 0] : [fraction, whole >>> 0];
}

/**
 * The record of a frame.
 *
 * Coordinates differ from those in double precision by 2⁻²⁵ pixels at the most, and weights by 2⁻²³: between
 * neighbours that differ by D levels, the value before it is cut by less than D · 10⁻⁶, and 10⁻⁵ besides. One value of
 * 10⁵ or so lies that near to a whole number, and may be cut to the other side of it.
 *
 * @throws RangeError for a matrix with a number that is not below 2²⁰ in size
 */
export function affineRecord({ matrix, source, out, width, height }: AffineJob): number[] {
  if (!matrix.every((value) => Math.abs(value) < 2 ** 20)) {
    throw new RangeError(`affine: the matrix is ${matrix.join(', ')}: give numbers below 2^20 in size.`);
  }
  const [a, b, c, d, e, f] = matrix;
  const words = ([perColumn, perRow, constant]: readonly [number, number, number]) =>
    [constant + 0.5 * (perColumn + perRow) - 0.5, perColumn, perRow].flatMap(fixedPoint);
  const along = { axis: [width, 1], coordinate: [a, b, c] } as const;
  const down = { axis: [height, width], coordinate: [d, e, f] } as const;
  const isStillAlong = a === 1 && b === 0 && c === 0;
  const isStillDown = d === 0 && e === 1 && f === 0;
  const [first, second] = isStillAlong ? [down, along] : [along, down];
  // Of an axis that is left alone, the second of four neighbours is the whole value.
  const rows = isStillAlong || isStillDown ? [1, 1] : [4, 0];
  return [
    ...[source, out, width, height, ...first.axis, ...second.axis, ...rows],
    ...[...words(first.coordinate), ...words(second.coordinate)],
  ];
}

/** Of frames that are all as large as the largest; of the source, a pixel counts for each of the result. */
export function affineCost(frames: number, width: number, height: number): Cost {
  const bytes = 4 * frames * width * height;
  return { macs: 0, flops: 0, bytesRead: bytes + 4 * AFFINE_RECORD * frames, bytesWritten: bytes };
}

/**
 * Frames seen through affine maps.
 *
 * @throws ShapeError for other arrays
 */
export function seeThroughMaps(runtime: Runtime, { pixels, jobs, width, height }: PixelPass): void {
  const frames = requireJobs('affine', jobs, AFFINE_RECORD);
  requireWords('affine', { pixels });
  runtime.run({
    kernel: 'affine',
    wgsl: [mulHighWgsl, affineWgsl],
    constants: {},
    data: { JOBS_OFFSET: jobs.offset },
    arrays: { pixels, jobs },
    workgroups: pixelWorkgroups(width, height, frames),
    cost: affineCost(frames, width, height),
  });
}
