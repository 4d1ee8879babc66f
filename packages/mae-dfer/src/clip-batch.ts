import { extractCubes, extractCubesFromVideo, type GpuArray, type Runtime } from '@tubelet/kernels';
import type { ClipConfig } from './config.js';

/**
 * Clips on the GPU: either uint8 frames [B, T, H, W, 3] as decoders give them (normalised by the kernels that read
 * them), or an f32 video [B, 3, T, H, W] already normalised with ImageNet's mean and deviation.
 */
export type ClipBatch = { readonly frames: GpuArray } | { readonly video: GpuArray };

/** Number of clips. */
export function batchSize(clips: ClipBatch): number {
  return ('frames' in clips ? clips.frames : clips.video).shape[0]!;
}

/** @throws when the clips are not what the model was made for */
export function requireClips(clips: ClipBatch, { frames, imageSize }: ClipConfig): void {
  const isFrames = 'frames' in clips;
  const array = isFrames ? clips.frames : clips.video;
  const wanted = isFrames ? [frames, imageSize, imageSize, 3] : [3, frames, imageSize, imageSize];
  if (array.shape.length !== 5 || wanted.some((extent, axis) => array.shape[axis + 1] !== extent)) {
    throw new RangeError(
      `the model takes clips [B, ${wanted.join(', ')}] (${isFrames ? 'uint8 frames' : 'f32 video'}), got ${array}`,
    );
  }
}

/** Writes the cubes named by `indices` (u32 [B, n]) to `out` [B, n, cube], normalised. */
export function gatherCubes(
  runtime: Runtime,
  clips: ClipBatch,
  indices: GpuArray,
  out: GpuArray,
  { tubeletSize, patchSize: patch }: ClipConfig,
): void {
  if ('frames' in clips) extractCubes(runtime, { frames: clips.frames, indices, out, tubeletSize, patch });
  else extractCubesFromVideo(runtime, { video: clips.video, indices, out, tubeletSize, patch });
}
