import type { GpuArray } from '../../runtime/gpu-array.js';
import type { Cost } from '../../runtime/ledger.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { Variant } from '../../runtime/variants.js';
import { pixelWorkgroups, requireJobs, requireWords } from '../pixel-jobs.js';
import toneWgsl from './tone.wgsl';

export const toneVariants: readonly Variant[] = [{ name: 'pixel', needs: [], prefers: 'any' }];

/** Words of a frame in the jobs of {@link applyTones}. */
export const TONE_RECORD = 7;

/** Levels of a channel. */
export const LEVELS = 256;
const ZERO = 2 ** 15;
const NO_CARRY = 0xffff;

/** The word of a table for a level, or a change, from −2¹⁵ on. */
const toneWord = (change: number, carryFrom = NO_CARRY) => change + ZERO + carryFrom * 2 ** 16;

/** A table of levels, one for each of 256: for operations of the kind `levels`. */
export function levelTable(level: (of: number) => number): Uint32Array {
  return Uint32Array.from({ length: LEVELS }, (_, of) => toneWord(level(of)));
}

const { fround } = Math;

/**
 * A table of changes by −255 … 255, for blending: from + factor · (value − from) in single precision, cut to an
 * integer. A word holds ⌊factor · difference⌋, and in its upper half the least `from` with which the sum is rounded up
 * to the next integer; mostly none.
 *
 * @param factor between −128 and 128.
 */
export function blendTable(factor: number): Uint32Array {
  const weight = fround(factor);
  return Uint32Array.from({ length: 2 * LEVELS - 1 }, (_, i) => {
    const product = fround(weight * (i - LEVELS + 1));
    const change = Math.floor(product);
    const carries = (from: number) => Math.floor(fround(from + product)) > from + change;
    // The larger the sum, the coarser its rounding.
    if (!carries(LEVELS - 1)) return toneWord(change);
    let from = LEVELS - 1;
    while (from > 0 && carries(from - 1)) from--;
    return toneWord(change, from);
  });
}

const KINDS = { levels: 0, colour: 1, sharpness: 2 } as const;

/** One operation on one frame. */
export interface ToneJob {
  /** What the table is entered by: the level, or its difference from the pixel's luma or its neighbourhood's mean. */
  readonly kind: keyof typeof KINDS;
  /** The first pixel of the frame, and of the result, which is elsewhere; rows follow each other. */
  readonly source: number;
  readonly out: number;
  readonly width: number;
  readonly height: number;
  /** Where the `levelTable`, or else the `blendTable`, begins. */
  readonly table: number;
  /** Whether there are three tables of levels, for red, green and blue; otherwise one for all. */
  readonly perChannel?: boolean;
}

/** The record of a frame. */
export function toneRecord({
  kind,
  source,
  out,
  width,
  height,
  table,
  perChannel = false,
}: ToneJob): number[] {
  const entry = kind === 'levels' ? table : table + LEVELS - 1;
  return [source, out, width, height, KINDS[kind], entry, perChannel ? LEVELS : 0];
}

/** What a pass over pixels takes. */
export interface PixelPass {
  /** u32, from the beginning of its memory on: frames and results, both in this array; no pixel is both. */
  readonly pixels: GpuArray;
  /** u32 [frames, words of a record]. */
  readonly jobs: GpuArray;
  /** Of the widest and the highest frame. */
  readonly width: number;
  readonly height: number;
}

/** Of frames that are all as large as the largest, without tables. */
export function toneCost(frames: number, width: number, height: number): Cost {
  const bytes = 4 * frames * width * height;
  return { macs: 0, flops: 0, bytesRead: bytes + 4 * TONE_RECORD * frames, bytesWritten: bytes };
}

/**
 * Operations on tones.
 *
 * @param table u32: tables, from the beginning of its memory on.
 * @throws ShapeError for other arrays
 */
export function applyTones(
  runtime: Runtime,
  { pixels, jobs, width, height, table }: PixelPass & { readonly table: GpuArray },
): void {
  const frames = requireJobs('tone', jobs, TONE_RECORD);
  requireWords('tone', { pixels, table });
  runtime.run({
    kernel: 'tone',
    wgsl: [toneWgsl],
    constants: {},
    data: { JOBS_OFFSET: jobs.offset },
    arrays: { pixels, jobs, table },
    workgroups: pixelWorkgroups(width, height, frames),
    cost: toneCost(frames, width, height),
  });
}
