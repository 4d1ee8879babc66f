import mulHighWgsl from '../../philox/mul-high.wgsl';
import { philoxKeyWords, type PhiloxKeyWords } from '../../philox/philox-key.js';
import type { StreamPurpose } from '../../philox/philox.js';
import philoxWgsl from '../../philox/philox.wgsl';
import { ShapeError } from '../../runtime/errors.js';
import type { GpuArray } from '../../runtime/gpu-array.js';
import type { Cost } from '../../runtime/ledger.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { Variant } from '../../runtime/variants.js';
import { pixelWorkgroups, requireJobs, requireWords } from '../pixel-jobs.js';
import cropVideoWgsl from './crop-video.wgsl';

export const cropVideoVariants: readonly Variant[] = [{ name: 'pixel', needs: [], prefers: 'any' }];

/** Words of a frame in the jobs of {@link cropVideo}. */
export const CROP_RECORD = 16;

const { fround } = Math;

/**
 * For each of `outputs` positions the two of `length` inputs that it lies between, as PyTorch's bilinear interpolation
 * with `align_corners=False` and no antialiasing finds them, and the weight of the second: [outputs][2].
 *
 * @param mirrored from the last input to the first.
 */
export function neighbourWords(length: number, outputs: number, mirrored = false): Uint32Array {
  const words = new Uint32Array(2 * outputs);
  const weights = new Float32Array(words.buffer);
  const scale = fround(length / outputs);
  for (let i = 0; i < outputs; i++) {
    const place = Math.max(fround(fround(scale * (i + 0.5)) - 0.5), 0);
    const first = Math.min(Math.floor(place), length - 1);
    const at = 2 * (mirrored ? outputs - 1 - i : i);
    words[at] = first + Math.min(first + 1, length - 1) * 2 ** 16;
    weights[at + 1] = place - first;
  }
  return words;
}

/** A part of a video that becomes noise, the stream of its numbers, and the block of the stream that they begin with. */
export interface Noise {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly key: Required<PhiloxKeyWords>;
  readonly firstBlock: number;
}

/** One frame of a clip. */
export interface CropJob {
  /** The first pixel of the box; its rows are as far apart as those of the frame. */
  readonly source: number;
  /** The clip among those of the video, the frame in its clip, and how many frames a clip has. */
  readonly clip: number;
  readonly frame: number;
  readonly frames: number;
  /** Width and height of the video. */
  readonly width: number;
  readonly height: number;
  /** Where the `neighbourWords` of columns and of rows begin. */
  readonly columns: number;
  readonly rows: number;
  readonly noise?: Noise | undefined;
}

/** The record of a frame. */
export function cropRecord(job: CropJob): number[] {
  const { source, clip, frame, frames, width, height, columns, rows, noise } = job;
  const out = (3 * clip * frames + frame) * width * height;
  const box = noise ? [noise.x, noise.y, noise.width, noise.height] : [0, 0, 0, 0];
  const stream = noise ? [noise.firstBlock, ...philoxKeyWords(noise.key)] : [0, 0, 0, 0, 0];
  return [source, out, columns, rows, ...box, frame, frames, ...stream, 0];
}

export interface CropVideoOperands {
  /** u32, from the beginning of its memory on: pixels of the frames. */
  readonly pixels: GpuArray;
  /** Pixels from one row of a frame to the next. */
  readonly rowPixels: number;
  /** u32 [B · T, CROP_RECORD], see `cropRecord`. */
  readonly jobs: GpuArray;
  /** u32, from the beginning of its memory on: `neighbourWords`. */
  readonly table: GpuArray;
  /** f32 [B, 3, T, height, width], contiguous. */
  readonly video: GpuArray;
  /** What the noise is drawn for. */
  readonly purpose: StreamPurpose;
}

/** Of clips without noise; of the source, a pixel counts for each of the result. */
export function cropVideoCost(frames: number, width: number, height: number): Cost {
  const area = frames * width * height;
  return { macs: 0, flops: 27 * area, bytesRead: 4 * (area + frames * CROP_RECORD), bytesWritten: 12 * area };
}

/**
 * Boxes of frames as a normalised video (ImageNet's mean and deviation).
 *
 * @throws ShapeError for other arrays
 */
export function cropVideo(
  runtime: Runtime,
  { pixels, rowPixels, jobs, table, video, purpose }: CropVideoOperands,
): void {
  const count = requireJobs('crop-video', jobs, CROP_RECORD);
  const [clips, channels, frames, height, width] = video.shape;
  requireWords('crop-video', { pixels, table });
  const isVideo = video.dtype === 'f32' && video.shape.length === 5 && channels === 3 && video.isContiguous;
  if (!isVideo || clips! * frames! !== count) {
    throw new ShapeError(
      `crop-video: video is ${video} and there are ${count} jobs: give a contiguous f32 array [B, 3, T, height, ` +
        'width] and B · T jobs',
    );
  }
  runtime.run({
    kernel: 'crop-video',
    wgsl: [mulHighWgsl, philoxWgsl, cropVideoWgsl],
    constants: {},
    data: {
      JOBS_OFFSET: jobs.offset,
      WIDTH: rowPixels,
      PLANE: frames! * height! * width!,
      OUT_WIDTH: width!,
      OUT_HEIGHT: height!,
      OUT_OFFSET: video.offset,
      PURPOSE: purpose,
    },
    arrays: { pixels, jobs, table, video },
    workgroups: pixelWorkgroups(width!, height!, count),
    cost: cropVideoCost(count, width!, height!),
  });
}
