import {
  reconstructionTargets,
  reconstructionTargetsFromVideo,
  type GpuArray,
  type Runtime,
} from '@tubelet/kernels';
import { batchSize, type ClipBatch } from './clip-batch.js';
import { cubeSize, type ClipConfig } from './config.js';

/**
 * Targets of the masked cubes, [B, masked, cube]: each cube's pixels normalised per channel over both frames
 * (unbiased deviation), frame 0 as it is (appearance), frame 1 minus frame 0 (motion).
 */
export function buildTargets(
  runtime: Runtime,
  clips: ClipBatch,
  masked: GpuArray,
  clip: ClipConfig,
): GpuArray {
  const out = runtime.empty([batchSize(clips), masked.shape[1]!, cubeSize(clip)], 'f32', 'targets');
  const { tubeletSize, patchSize: patch } = clip;
  if ('frames' in clips)
    reconstructionTargets(runtime, { frames: clips.frames, masked, out, tubeletSize, patch });
  else reconstructionTargetsFromVideo(runtime, { video: clips.video, masked, out, tubeletSize, patch });
  return out;
}
