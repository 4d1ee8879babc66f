import type { GpuArray } from '../../runtime/gpu-array.js';
import type { Cost } from '../../runtime/ledger.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { Variant } from '../../runtime/variants.js';
import { requireJobs, requireWords } from '../pixel-jobs.js';
import { LEVELS } from '../tone/tone.js';
import toneTablesWgsl from './tone-tables.wgsl';

export const toneTablesVariants: readonly Variant[] = [{ name: 'workgroup', needs: [], prefers: 'any' }];

/** Words of a frame in the jobs of {@link makeToneTables}. */
export const TONE_TABLES_RECORD = 5;
/** Words of the tables of a frame: levels of red, of green and of blue, as `levelTable` has them. */
export const TONE_TABLES_WORDS = 3 * LEVELS;

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

let shortfalls: Uint32Array | undefined;

/**
 * Where AutoContrast, in double precision, gives one less than (v − lowest) · 255 / (highest − lowest): only where that
 * is a whole number, which it is at g + 1 levels, g being the greatest common divisor of 255 and the range.
 *
 * @returns for each range 0 … 255 a word with its g in the highest byte and the place of its bits below, counted in bits
 *   from the beginning on; then the bits, for each lowest level those of its g + 1 levels.
 */
export function autoContrastShortfalls(): Uint32Array {
  if (shortfalls !== undefined) return shortfalls;
  const heads = new Uint32Array(LEVELS);
  const bits: boolean[] = [];
  for (let range = 1; range < LEVELS; range++) {
    const divisor = gcd(range, 255);
    heads[range] = divisor * 2 ** 24 + 32 * LEVELS + bits.length;
    const scale = 255 / range;
    for (let lowest = 0; lowest + range < LEVELS; lowest++) {
      const offset = -lowest * scale;
      for (let k = 0; k <= divisor; k++) {
        const level = lowest + (k * range) / divisor;
        bits.push(Math.trunc(level * scale + offset) < (k * 255) / divisor);
      }
    }
  }
  const words = new Uint32Array(LEVELS + Math.ceil(bits.length / 32));
  words.set(heads);
  bits.forEach((bit, i) => (words[LEVELS + (i >> 5)]! |= bit ? 1 << (i & 31) : 0));
  return (shortfalls = words);
}

const KINDS = { autoContrast: 0, equalize: 1, contrast: 2 } as const;

/** The tables of one frame. */
export interface ToneTablesJob {
  readonly kind: keyof typeof KINDS;
  /** The first pixel of the frame, and how many it has. */
  readonly source: number;
  readonly count: number;
  /** Where in the table its tables go. */
  readonly out: number;
  /** Where in the table `autoContrastShortfalls` (for AutoContrast) or a `blendTable` (for Contrast) begins. */
  readonly helper?: number;
}

/** The record of a frame. */
export function toneTablesRecord({ kind, source, count, out, helper = 0 }: ToneTablesJob): number[] {
  return [source, count, KINDS[kind], out, helper];
}

/** Of frames of so many pixels, without what is looked up. */
export function toneTablesCost(frames: number, pixels: number): Cost {
  return {
    macs: 0,
    flops: 0,
    bytesRead: frames * 4 * (pixels + TONE_TABLES_RECORD),
    bytesWritten: frames * 4 * TONE_TABLES_WORDS,
  };
}

export interface ToneTablesOperands {
  /** u32, from the beginning of its memory on: pixels of the frames. */
  readonly pixels: GpuArray;
  /** u32 [frames, TONE_TABLES_RECORD], see `toneTablesRecord`. */
  readonly jobs: GpuArray;
  /** u32, from the beginning of its memory on: what is looked up, and where the tables of the frames go. */
  readonly table: GpuArray;
  /** Pixels of a frame. */
  readonly count: number;
}

/**
 * Tables of levels of operations that depend on the frame.
 *
 * @throws ShapeError for other arrays
 */
export function makeToneTables(runtime: Runtime, { pixels, jobs, table, count }: ToneTablesOperands): void {
  const frames = requireJobs('tone-tables', jobs, TONE_TABLES_RECORD);
  requireWords('tone-tables', { pixels, table });
  runtime.run({
    kernel: 'tone-tables',
    wgsl: [toneTablesWgsl],
    constants: {},
    data: { JOBS_OFFSET: jobs.offset },
    arrays: { pixels, jobs, table },
    workgroups: [frames],
    cost: toneTablesCost(frames, count),
  });
}
