import { ShapeError } from '../../runtime/errors.js';
import type { GpuArray } from '../../runtime/gpu-array.js';
import type { Cost } from '../../runtime/ledger.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { Variant } from '../../runtime/variants.js';
import { pixelWorkgroups } from '../pixel-jobs.js';
import mixClipsWgsl from './mix-clips.wgsl';

export const mixClipsVariants: readonly Variant[] = [{ name: 'column', needs: [], prefers: 'any' }];

/** Rows `top` … `bottom` − 1 and columns `left` … `right` − 1; it may be empty. */
export interface MixBox {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** How a batch is mixed. */
export interface Mix {
  /** The share of a sample's own label; the rest is that of its partner, the sample at the mirrored place. */
  readonly lambda: number;
  /** With CutMix: where the partner's pixels are, in all frames. Without: all pixels are averaged. */
  readonly box?: MixBox;
}

export function mixClipsCost(values: number): Cost {
  return { macs: 0, flops: 3 * values, bytesRead: 4 * values, bytesWritten: 4 * values };
}

/**
 * Mixes a batch in place: clip b with clip B − 1 − b.
 *
 * @param clips f32 [B, …, height, width], contiguous.
 * @throws ShapeError for other arrays, and an odd batch, whose middle clip has no partner; RangeError for a box that
 *   does not lie in the frames.
 */
export function mixClips(runtime: Runtime, clips: GpuArray, { lambda, box }: Mix): void {
  const [count, ...extents] = clips.shape;
  if (clips.dtype !== 'f32' || extents.length < 2 || !clips.isContiguous || count! % 2 !== 0) {
    throw new ShapeError(
      `mix-clips: clips is ${clips}: they are mixed in pairs, give an even number in a contiguous f32 array [B, …, ` +
        'height, width]',
    );
  }
  const [height, width] = extents.slice(-2) as [number, number];
  const { top, bottom, left, right } = box ?? { top: 0, bottom: 0, left: 0, right: 0 };
  const inOrder =
    0 <= top && top <= bottom && bottom <= height && 0 <= left && left <= right && right <= width;
  if (!inOrder || ![top, bottom, left, right].every(Number.isInteger)) {
    throw new RangeError(
      `mix-clips: rows ${top} to ${bottom} and columns ${left} to ${right} are not a box in frames of ${width}×${height} ` +
        'pixels.',
    );
  }
  const planes = clips.size / (count! * height * width);
  const words = new Uint32Array(8);
  new Float32Array(words.buffer).set(box ? [1, 0, 0, 1] : [lambda, 1 - lambda]);
  words.set([left, top, right - left, bottom - top], 4);
  runtime.scope(() => {
    const jobs = runtime.upload(words, [8], 'u32', 'mix');
    runtime.run({
      kernel: 'mix-clips',
      wgsl: [mixClipsWgsl],
      constants: {},
      data: {
        JOBS_OFFSET: jobs.offset,
        ...{ PLANES: planes, CLIPS: count!, WIDTH: width, HEIGHT: height },
        OFFSET: clips.offset,
      },
      arrays: { jobs, clips },
      workgroups: pixelWorkgroups(width, height, (count! / 2) * planes),
      cost: mixClipsCost(clips.size),
    });
  });
}
