import type { GpuArray } from '../../runtime/gpu-array.js';
import type { Cost } from '../../runtime/ledger.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { Variant } from '../../runtime/variants.js';
import { pixelWorkgroups, requireJobs, requireWords } from '../pixel-jobs.js';
import resampleWgsl from './resample.wgsl';

export const resampleVariants: readonly Variant[] = [{ name: 'pixel', needs: [], prefers: 'any' }];

/** Words of a frame in the jobs of {@link resampleFrames}. */
export const RESAMPLE_RECORD = 9;

/** Pixels in memory: where the first one is, and how far the next column and the next row are; steps may be negative. */
export interface PixelLayout {
  readonly first: number;
  readonly column: number;
  readonly row: number;
}

/** One axis of the resize of one frame. */
export interface ResampleJob {
  readonly axis: 'rows' | 'columns';
  readonly source: PixelLayout;
  readonly out: PixelLayout;
  /** Size of the result. */
  readonly width: number;
  readonly height: number;
  /** Where the filter begins in the table, see `filterWords`. */
  readonly filter: number;
}

/** The record of a frame. With the axis `rows`, each row is made longer or shorter; with `columns`, each column. */
export function resampleRecord({ axis, source, out, width, height, filter }: ResampleJob): number[] {
  const alongRows = axis === 'rows';
  const steps = ({ first, column, row }: PixelLayout) =>
    alongRows ? [first, column, row] : [first, row, column];
  return [...steps(source), ...steps(out), ...(alongRows ? [width, height] : [height, width]), filter];
}

/** One axis of a resize: `outputs` samples of the triangle filter over the samples 0 … length − 1. */
export interface FilterShape {
  readonly length: number;
  readonly outputs: number;
}

const ONE = 2 ** 22;

/**
 * The triangle filter that Pillow calls bilinear, which widens where it shrinks an image, in units of 2⁻²²: the number
 * of inputs that an output sums, and for each output the first of them and the weight of each.
 *
 * @returns [1 + outputs · (taps + 1)]; all inputs lie in 0 … length − 1, those beyond an output's own have no weight.
 */
export function filterWords({ length, outputs }: FilterShape): Uint32Array {
  const scale = length / outputs;
  const support = Math.max(scale, 1);
  const ofOutput = Array.from({ length: outputs }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const begin = Math.max(Math.trunc(centre - support + 0.5), 0);
    const end = Math.min(Math.trunc(centre + support + 0.5), length);
    const exact = Array.from({ length: end - begin }, (_, k) =>
      Math.max(0, 1 - Math.abs((begin + k - centre + 0.5) / support)),
    );
    const sum = exact.reduce((total, weight) => total + weight, 0);
    // Weights are never negative: adding one half and cutting rounds half away from zero.
    const weights = exact.map((weight) => Math.trunc(0.5 + (weight / sum) * ONE));
    while (weights.at(-1) === 0) weights.pop();
    return { begin, weights };
  });
  const taps = Math.max(...ofOutput.map(({ weights }) => weights.length));
  const words = new Uint32Array(1 + outputs * (taps + 1));
  words[0] = taps;
  for (const [i, { begin, weights }] of ofOutput.entries()) {
    const first = Math.min(begin, length - taps);
    const at = 1 + i * (taps + 1);
    words[at] = first;
    words.set(weights, at + 1 + begin - first);
  }
  return words;
}

export interface ResampleOperands {
  /** u32, from the beginning of its memory on: pixels, as `unpackFrames` makes them. */
  readonly source: GpuArray;
  /** u32 [frames, RESAMPLE_RECORD], see `resampleRecord`. */
  readonly jobs: GpuArray;
  /** u32, from the beginning of its memory on: filters. */
  readonly table: GpuArray;
  /** u32, from the beginning of its memory on: pixels of the results. */
  readonly pixels: GpuArray;
  readonly axis: 'rows' | 'columns';
  /** Of the widest and the highest result. */
  readonly width: number;
  readonly height: number;
}

/** Of results that are all as large as the largest; of the source, a pixel counts for each of the result. */
export function resampleCost(frames: number, width: number, height: number): Cost {
  const bytes = 4 * frames * width * height;
  return { macs: 0, flops: 0, bytesRead: bytes + 4 * RESAMPLE_RECORD * frames, bytesWritten: bytes };
}

/**
 * Resizes frames along one axis.
 *
 * @throws ShapeError for other arrays
 */
export function resampleFrames(
  runtime: Runtime,
  { source, jobs, table, pixels, axis, width, height }: ResampleOperands,
): void {
  const frames = requireJobs('resample', jobs, RESAMPLE_RECORD);
  requireWords('resample', { source, table, pixels });
  runtime.run({
    kernel: 'resample',
    wgsl: [resampleWgsl],
    constants: {},
    data: { JOBS_OFFSET: jobs.offset },
    arrays: { source, jobs, table, pixels },
    workgroups:
      axis === 'rows' ? pixelWorkgroups(height, width, frames) : pixelWorkgroups(width, height, frames),
    cost: resampleCost(frames, width, height),
  });
}
