import {
  reconstructionTargets,
  reconstructionTargetsFromVideo,
  type GpuArray,
  type Runtime,
} from '@tubelet/kernels';
import { batchSize, type ClipBatch } from './clip-batch.js';
import { cubeSize, type ClipConfig } from './config.js';

/**
 * What masked cubes are predicted as, their pixels being normalised: `difference`, the first frame of a cube and what the
 * others differ from it by (MAE-DFER); `pixels`, all frames as they are (VideoMAE).
 */
export type TargetKind = 'difference' | 'pixels';

/**
 * Targets of the masked cubes, [B, masked, cube]: each cube's pixels normalised per channel over both frames
 * (unbiased deviation), frame 0 as it is (appearance), frame 1 minus frame 0 (motion), or as it is too.
 */
export function buildTargets(
  runtime: Runtime,
  clips: ClipBatch,
  masked: GpuArray,
  clip: ClipConfig,
  kind: TargetKind,
): GpuArray {
  const out = runtime.empty([batchSize(clips), masked.shape[1]!, cubeSize(clip)], 'f32', 'targets');
  const options = { masked, out, ...targetOptions(clip, kind) };
  if ('frames' in clips) reconstructionTargets(runtime, { frames: clips.frames, ...options });
  else reconstructionTargetsFromVideo(runtime, { video: clips.video, ...options });
  return out;
}

/** What the kernels of targets are given for a kind of target. */
export function targetOptions({ tubeletSize, patchSize }: ClipConfig, kind: TargetKind) {
  return { tubeletSize, patch: patchSize, frameDifferenceGroup: kind === 'pixels' ? 1 : tubeletSize };
}
