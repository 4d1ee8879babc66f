import { ShapeError } from '../../runtime/errors.js';
import type { GpuArray } from '../../runtime/gpu-array.js';
import type { Cost } from '../../runtime/ledger.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { Variant } from '../../runtime/variants.js';
import { requireJobs, requireWords, ROWS_PER_INVOCATION } from '../pixel-jobs.js';
import unpackWgsl from './unpack.wgsl';

export const unpackVariants: readonly Variant[] = [{ name: 'four-pixels', needs: [], prefers: 'any' }];

/** How luma and chroma make RGB: the matrix of ITU-R BT.601, BT.709 or BT.2020 (non-constant luminance), and the range. */
export interface Colour {
  readonly matrix: 'bt601' | 'bt709' | 'bt2020';
  /** Values 0 … 255; otherwise luma lies in 16 … 235 and chroma in 16 … 240. */
  readonly fullRange: boolean;
}

/** A frame as decoders give it. */
export interface CodedFrame {
  readonly width: number;
  readonly height: number;
  /**
   * Of a frame of 8 bits in 4:2:0, which is the planes Y, U and V one behind the other, [height, width] and twice
   * [⌈height/2⌉, ⌈width/2⌉]. A frame without it is RGB, [height, width, 3].
   */
  readonly colour?: Colour | undefined;
}

const half = (length: number) => Math.ceil(length / 2);

/** Bytes of a coded frame. */
export function codedFrameBytes({ width, height, colour }: CodedFrame): number {
  return colour === undefined ? 3 * width * height : width * height + 2 * half(width) * half(height);
}

/** Words from one row of an unpacked frame to the next: rows begin at multiples of four. */
export const unpackedStride = (width: number) => 4 * Math.ceil(width / 4);

/** Shares of red and blue in luma. */
const LUMA_SHARES = {
  bt601: { red: 0.299, blue: 0.114 },
  bt709: { red: 0.2126, blue: 0.0722 },
  bt2020: { red: 0.2627, blue: 0.0593 },
} as const;

export type ColourFactors = readonly [
  black: number,
  luma: number,
  redOfV: number,
  greenOfU: number,
  greenOfV: number,
  blueOfU: number,
];

/** What black is in luma, and what luma and chroma count for in red, green and blue: [Y₀, s, r_v, g_u, g_v, b_u]. */
export function colourFactors({ matrix, fullRange }: Colour): ColourFactors {
  const { red, blue } = LUMA_SHARES[matrix];
  const green = 1 - red - blue;
  const chromaScale = fullRange ? 1 : 255 / 224;
  const redOfV = 2 * (1 - red) * chromaScale;
  const blueOfU = 2 * (1 - blue) * chromaScale;
  const [greenOfU, greenOfV] = [(-blue * blueOfU) / green, (-red * redOfV) / green];
  return [fullRange ? 0 : 16, fullRange ? 1 : 255 / 219, redOfV, greenOfU, greenOfV, blueOfU];
}

/** Words of a frame in the jobs of {@link unpackFrames}. */
export const UNPACK_RECORD = 15;

/**
 * The record of a frame.
 *
 * @param firstByte where the frame begins in `bytes`.
 * @param outPixel where it goes in `pixels`, a multiple of 4.
 */
export function unpackRecord(
  { width, height, colour }: CodedFrame,
  firstByte: number,
  outPixel: number,
): number[] {
  const record = [width, height, outPixel / 4, firstByte, colour === undefined ? 3 * width : width];
  if (colour === undefined) return [...record, ...new Array<number>(10).fill(0)];
  const u = firstByte + width * height;
  const [zero, ...factors] = colourFactors(colour);
  const chroma = [u, u + half(width) * half(height), half(width), half(height) - 1];
  return [...record, ...chroma, zero, ...factors.map((factor) => Math.round(factor * 2 ** 16))];
}

export interface UnpackOperands {
  /** u8: frames as they are coded, all planar or all RGB, and four bytes more. */
  readonly bytes: GpuArray;
  /** Whether the frames are planes. */
  readonly planar: boolean;
  /** u32 [frames, UNPACK_RECORD], see `unpackRecord`. */
  readonly jobs: GpuArray;
  /** u32, from the beginning of its memory on: pixels of the frames, rows `unpackedStride` apart; in memory of its own. */
  readonly pixels: GpuArray;
  /** Of the widest and the highest frame. */
  readonly width: number;
  readonly height: number;
}

/** Of frames that are all as large as the largest. */
export function unpackCost(frames: number, width: number, height: number, planar: boolean): Cost {
  const colour: Colour | undefined = planar ? { matrix: 'bt601', fullRange: true } : undefined;
  return {
    macs: 0,
    flops: 0,
    bytesRead: frames * (codedFrameBytes({ width, height, colour }) + 4 * UNPACK_RECORD),
    bytesWritten: 4 * frames * width * height,
  };
}

/**
 * Decoded frames as pixels.
 *
 * @throws ShapeError for other arrays
 */
export function unpackFrames(
  runtime: Runtime,
  { bytes, planar, jobs, pixels, width, height }: UnpackOperands,
): void {
  const frames = requireJobs('unpack', jobs, UNPACK_RECORD);
  requireWords('unpack', { pixels });
  if (bytes.dtype !== 'u8' || bytes.offset !== 0) {
    throw new ShapeError(`unpack: bytes is ${bytes}: give a u8 array in memory of its own`);
  }
  runtime.run({
    kernel: 'unpack',
    wgsl: [unpackWgsl],
    data: { JOBS_OFFSET: jobs.offset, PLANAR: Number(planar) },
    arrays: { bytes, jobs, pixels },
    workgroups: [Math.ceil(width / 64), Math.ceil(height / ROWS_PER_INVOCATION), frames],
    cost: unpackCost(frames, width, height, planar),
  });
}
