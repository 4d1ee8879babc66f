import {
  framesGeometry,
  IMAGENET_MEAN,
  IMAGENET_STD,
  requireCubesOut,
  requireTokenIndices,
  videoGeometry,
  type ClipGeometry,
  type CubeSize,
} from '../cubes/clip-geometry.js';
import addressWgsl from '../cubes/cube-address.wgsl';
import mulHighWgsl from '../../philox/mul-high.wgsl';
import { ShapeError } from '../../runtime/errors.js';
import type { GpuArray } from '../../runtime/gpu-array.js';
import type { Cost } from '../../runtime/ledger.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { Variant } from '../../runtime/variants.js';
import { f32, type KernelData, type WgslConstants } from '../../runtime/wgsl.js';
import sumsWgsl from './cube-statistics-function.wgsl';
import statisticsWgsl from './cube-statistics.wgsl';
import fromVideoWgsl from './targets-from-video.wgsl';
import targetsWgsl from './targets.wgsl';
import videoSumsWgsl from './video-statistics-function.wgsl';
import videoStatisticsWgsl from './video-statistics.wgsl';

export const targetsVariants: readonly Variant[] = [
  { name: 'workgroup-per-cube', needs: [], prefers: 'any' },
];

// Up to this many pixels the sum of squared bytes fits a u32.
const MAX_PIXELS = 65_536;

/** Which targets to make, and where they go. */
export interface TargetOptions extends CubeSize {
  /** u32 [B, n]: the tokens whose targets are wanted, p = (t·h + row)·w + column. */
  readonly masked: GpuArray;
  /** f32 [B, n, 3·tubeletSize·patch²], vector order (frame, row, column, channel), channel fastest. */
  readonly out: GpuArray;
  /** Subtract each cube's mean and divide by its deviation + 1e-6, by channel; default true. */
  readonly normalize?: boolean;
  /**
   * g: frames 0, g, 2g, … are kept and the others become their difference to the kept frame before them, after
   * normalisation. 1 makes no differences. A divisor or a multiple of `tubeletSize` that divides the clip; default 2.
   */
  readonly frameDifferenceGroup?: number;
  /**
   * f32 [B, n, 3]: where to leave each cube's mean μ, on the scale where white is 1. With `deviation` it turns
   * predictions back into pixels: frame 0 is ŷ₀ · deviation + mean, frame 1 is (ŷ₀ + ŷ₁) · deviation + mean.
   */
  readonly mean?: GpuArray;
  /** f32 [B, n, 3]: where to leave each cube's σ + 1e-6. Give it together with `mean`, and only if normalising. */
  readonly deviation?: GpuArray;
}

/** Costs of targets from bytes (`valueBytes` 1) or floats (4), cubes of `cubeLength` values each read once. */
export function targetsCost(cubes: number, cubeLength: number, valueBytes: 1 | 4): Cost {
  const values = cubes * cubeLength;
  return { macs: 0, flops: 0, bytesRead: values * valueBytes + 4 * cubes, bytesWritten: 4 * values };
}

/** Costs of means and deviations alone; they run besides the targets when asked for. */
export function cubeStatisticsCost(cubes: number, cubeLength: number, valueBytes: 1 | 4): Cost {
  return { ...targetsCost(cubes, cubeLength, valueBytes), bytesWritten: 24 * cubes };
}

/**
 * Reconstruction targets of masked cubes from u8 frames [B, T, H, W, 3], contiguous: with u = x/255, z = (u − μ)/(σ +
 * 1e-6) per cube and channel (σ² unbiased, over all frames of the cube), kept for the first frame of a group and
 * differenced for the others. Means and variances are exact, so cubes without contrast give exact zeros. A token index
 * beyond the clip fills its row with NaN. Source: Sun et al., “MAE-DFER”, ACM MM 2023.
 *
 * @throws ShapeError when shapes or the frame group do not fit
 */
export function reconstructionTargets(
  runtime: Runtime,
  { frames, ...options }: TargetOptions & { readonly frames: GpuArray },
): void {
  const geometry = framesGeometry('targets', frames, options);
  const source = {
    array: { frames },
    valueBytes: 1,
    data: {
      FRAMES_OFFSET_WORDS: frames.offset / 4,
      FRAME_WORDS: (geometry.height * geometry.width * 3) / 4,
      ROW_WORDS: (geometry.width * 3) / 4,
    },
    wgsl: [mulHighWgsl, addressWgsl, sumsWgsl],
  } as const;
  dispatchTargets(runtime, 'targets', targetsWgsl, source, geometry, options);
  dispatchStatistics(runtime, 'cube-statistics', statisticsWgsl, source, geometry, options);
}

/**
 * The same targets from a normalised f32 video [B, 3, T, H, W], contiguous, of which u = video · std + mean with
 * ImageNet's figures. Sums are in f32 and relative to a pixel of the cube: cubes without contrast give exact zeros.
 */
export function reconstructionTargetsFromVideo(
  runtime: Runtime,
  { video, ...options }: TargetOptions & { readonly video: GpuArray },
): void {
  const geometry = videoGeometry('targets-from-video', video, options);
  const data = {
    VIDEO_OFFSET: video.offset,
    HEIGHT: geometry.height,
    WIDTH: geometry.width,
    ...Object.fromEntries(IMAGENET_STD.map((std, c) => [`STD_${c}`, f32(std)])),
    ...Object.fromEntries(IMAGENET_MEAN.map((mean, c) => [`MEAN_${c}`, f32(mean)])),
  };
  const wgsl = [addressWgsl, videoSumsWgsl];
  const source = { array: { video }, valueBytes: 4, data, wgsl } as const;
  dispatchTargets(runtime, 'targets-from-video', fromVideoWgsl, source, geometry, options);
  dispatchStatistics(runtime, 'video-statistics', videoStatisticsWgsl, source, geometry, options);
}

interface Source {
  /** By its name in the WGSL. */
  readonly array: Readonly<Record<string, GpuArray>>;
  readonly valueBytes: 1 | 4;
  readonly data: KernelData;
  /** What precedes the kernel. */
  readonly wgsl: readonly string[];
}

function dispatchTargets(
  runtime: Runtime,
  kernel: string,
  wgsl: string,
  source: Source,
  geometry: ClipGeometry,
  { masked, out, normalize = true, frameDifferenceGroup = 2 }: TargetOptions,
): void {
  const { batch, cubeLength } = geometry;
  const cubes = requireTokenIndices(kernel, 'masked', masked, batch);
  requireCubesOut(kernel, out, [batch, cubes, cubeLength]);
  requireFrameGroup(kernel, geometry, frameDifferenceGroup);
  const constants = { NORMALIZE: normalize, GROUP: frameDifferenceGroup };
  const data = { OUT_OFFSET: out.offset, OUT_OFFSET_QUADS: out.offset / 4 };
  const cost = targetsCost(batch * cubes, cubeLength, source.valueBytes);
  dispatchPerCube(runtime, kernel, wgsl, source, geometry, masked, { out }, { constants, data, cost });
}

function dispatchStatistics(
  runtime: Runtime,
  kernel: string,
  wgsl: string,
  source: Source,
  geometry: ClipGeometry,
  { masked, mean, deviation, normalize = true }: TargetOptions,
): void {
  if (!mean && !deviation) return;
  if (!mean || !deviation || !normalize) {
    throw new ShapeError(
      `${kernel}: give both mean and deviation or neither, and only for normalised targets`,
    );
  }
  const { batch, cubeLength } = geometry;
  const cubes = requireTokenIndices(kernel, 'masked', masked, batch);
  for (const [name, array] of Object.entries({ mean, deviation })) {
    if (array.dtype !== 'f32' || !array.isContiguous || array.shape.join() !== [batch, cubes, 3].join()) {
      throw new ShapeError(`${kernel}: ${name} is ${array}: give a contiguous f32[${batch}, ${cubes}, 3]`);
    }
  }
  if (mean.storage === deviation.storage) {
    throw new ShapeError(`${kernel}: mean and deviation must each have a storage of their own`);
  }
  const data = { MEAN_OFFSET: mean.offset, DEVIATION_OFFSET: deviation.offset };
  const cost = cubeStatisticsCost(batch * cubes, cubeLength, source.valueBytes);
  dispatchPerCube(runtime, kernel, wgsl, source, geometry, masked, { mean, deviation }, { data, cost });
}

function dispatchPerCube(
  runtime: Runtime,
  kernel: string,
  wgsl: string,
  source: Source,
  geometry: ClipGeometry,
  masked: GpuArray,
  outputs: Readonly<Record<string, GpuArray>>,
  own: { readonly constants?: WgslConstants; readonly data: KernelData; readonly cost: Cost },
): void {
  const { batch, frames, tubeletSize, patch, grid, tokens } = geometry;
  if (tubeletSize * patch * patch > MAX_PIXELS) {
    throw new ShapeError(`${kernel}: cubes of ${tubeletSize}×${patch}×${patch} exceed ${MAX_PIXELS} pixels`);
  }
  const cubes = masked.shape[1]!;
  const workgroups = runtime.linearGrid(batch * cubes);
  runtime.run({
    kernel,
    wgsl: [...source.wgsl, wgsl],
    constants: {
      TUBELET: tubeletSize,
      PATCH: patch,
      TOKEN_ROWS: grid[1],
      TOKEN_COLUMNS: grid[2],
      ...own.constants,
    },
    data: {
      CUBES: cubes,
      COUNT: batch * cubes,
      GRID_X: workgroups[0],
      FRAMES: frames,
      TOKENS: tokens,
      MASKED_OFFSET: masked.offset,
      ...source.data,
      ...own.data,
    },
    arrays: { ...source.array, masked, ...outputs },
    workgroups,
    cost: own.cost,
  });
}

function requireFrameGroup(kernel: string, { frames, tubeletSize }: ClipGeometry, group: number): void {
  const whole = Number.isInteger(group) && group >= 1 && frames % group === 0;
  if (!whole || (group % tubeletSize !== 0 && tubeletSize % group !== 0)) {
    throw new ShapeError(
      `${kernel}: frameDifferenceGroup is ${group}: give a divisor of the clip's ${frames} frames that divides` +
        ` tubeletSize ${tubeletSize} or is a multiple of it`,
    );
  }
}
