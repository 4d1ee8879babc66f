import type { GpuArray } from '../../runtime/gpu-array.js';
import type { Cost } from '../../runtime/ledger.js';
import { loopBounds } from '../../runtime/loop-bounds.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { Variant } from '../../runtime/variants.js';
import { f32, type KernelData } from '../../runtime/wgsl.js';
import {
  framesGeometry,
  IMAGENET_MEAN,
  IMAGENET_STD,
  requireCubesOut,
  requireTokenIndices,
  videoGeometry,
  type ClipGeometry,
  type CubeSize,
} from './clip-geometry.js';
import addressWgsl from './cube-address.wgsl';
import fromVideoWgsl from './cubes-from-video.wgsl';
import roundsWgsl from './cubes-rounds.wgsl';
import cubesWgsl from './cubes.wgsl';

export const cubesVariants: readonly Variant[] = [{ name: 'four-pixels', needs: [], prefers: 'any' }];

const INVOCATIONS_PER_WORKGROUP = 64;
// Of an invocation; what it does once costs a processor as much as several. Beside one, eight took 0.6 to 0.7 of the
// time on a software driver.
const ROUNDS = { software: 8, gpu: 1 };

interface CubesOutput extends CubeSize {
  /** u32 [B, n]: the tokens to extract, p = (t·h + row)·w + column; default all, in order. */
  readonly indices?: GpuArray | undefined;
  /** f32 [B, n, 3·tubeletSize·patch²], vector order (channel, frame, row, column), column fastest. */
  readonly out: GpuArray;
}

/** Costs of `extractCubes` for `cubes` cubes of `cubeLength` values, whose bytes or floats are read once. */
export function cubesCost(cubes: number, cubeLength: number, valueBytes: 1 | 4, indexed: boolean): Cost {
  const values = cubes * cubeLength;
  return {
    macs: 0,
    flops: 0,
    bytesRead: values * valueBytes + (indexed ? 4 * cubes : 0),
    bytesWritten: 4 * values,
  };
}

/**
 * Gathers cubes from uint8 frames, normalised as (x/255 − mean)/std with ImageNet's figures: the rows that the
 * patch embedding multiplies by `patch_embed.proj.weight` reshaped to [C, 3·tubeletSize·patch²].
 *
 * `frames` is u8 [B, T, H, W, 3], contiguous. A token index beyond the clip fills its row with NaN.
 *
 * @throws ShapeError when shapes disagree or the clip does not divide into cubes
 */
export function extractCubes(
  runtime: Runtime,
  { frames, indices, out, ...size }: CubesOutput & { readonly frames: GpuArray },
): void {
  const geometry = framesGeometry('cubes', frames, size);
  const data = {
    FRAMES_OFFSET_WORDS: frames.offset / 4,
    ...Object.fromEntries(IMAGENET_STD.map((std, c) => [`SCALE_${c}`, f32(1 / (255 * std))])),
    ...Object.fromEntries(IMAGENET_STD.map((std, c) => [`SHIFT_${c}`, f32(-IMAGENET_MEAN[c]! / std)])),
  };
  dispatchCubes(runtime, 'cubes', cubesWgsl, { frames }, geometry, data, indices, out);
}

/**
 * Gathers cubes from an already normalised f32 video [B, 3, T, H, W], contiguous; otherwise as `extractCubes`.
 * The values are copied bit for bit.
 */
export function extractCubesFromVideo(
  runtime: Runtime,
  { video, indices, out, ...size }: CubesOutput & { readonly video: GpuArray },
): void {
  const geometry = videoGeometry('cubes-from-video', video, size);
  const data = { VIDEO_OFFSET_QUADS: video.offset / 4 };
  dispatchCubes(runtime, 'cubes-from-video', fromVideoWgsl, { video }, geometry, data, indices, out);
}

function dispatchCubes(
  runtime: Runtime,
  kernel: 'cubes' | 'cubes-from-video',
  wgsl: string,
  source: Readonly<Record<string, GpuArray>>,
  geometry: ClipGeometry,
  data: KernelData,
  indices: GpuArray | undefined,
  out: GpuArray,
): void {
  const { batch, tokens, cubeLength, frames, height, width, tubeletSize, patch, grid } = geometry;
  const cubes = indices ? requireTokenIndices(kernel, 'indices', indices, batch) : tokens;
  requireCubesOut(kernel, out, [batch, cubes, cubeLength]);
  const fromFrames = kernel === 'cubes';
  const count = (cubes * cubeLength) / (fromFrames ? 12 : 4);
  const rounds = ROUNDS[runtime.adapter.isSoftware ? 'software' : 'gpu'];
  const bounds = loopBounds(runtime, { ROUNDS: rounds });
  const workgroups = runtime.linearGrid(Math.ceil(count / (INVOCATIONS_PER_WORKGROUP * rounds)));
  runtime.run({
    kernel,
    wgsl: [addressWgsl, wgsl, roundsWgsl],
    constants: {
      TUBELET: tubeletSize,
      PATCH: patch,
      TOKEN_ROWS: grid[1],
      TOKEN_COLUMNS: grid[2],
      ...bounds.constants,
    },
    data: {
      CUBES: cubes,
      COUNT: count,
      GRID_X: workgroups[0],
      FRAMES: frames,
      HEIGHT: height,
      WIDTH: width,
      TOKENS: tokens,
      INDICES_OFFSET: indices?.offset ?? 0,
      OUT_OFFSET_QUADS: out.offset / 4,
      ...bounds.data,
      ...data,
    },
    arrays: { ...source, indices, out },
    workgroups: [...workgroups, batch],
    cost: cubesCost(batch * cubes, cubeLength, fromFrames ? 1 : 4, indices !== undefined),
  });
}
