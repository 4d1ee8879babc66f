import { ShapeError } from '../../runtime/errors.js';
import { elementBytes, type GpuArray } from '../../runtime/gpu-array.js';

/** Mean and standard deviation of ImageNet's red, green and blue, on the scale where white is 1. */
export const IMAGENET_MEAN = [0.485, 0.456, 0.406] as const;
/** Deviation of each channel of ImageNet, R, G, B, of values from 0 to 1. */
export const IMAGENET_STD = [0.229, 0.224, 0.225] as const;

/** How a clip is cut into cubes. */
export interface CubeSize {
  /** Frames per cube; default 2. */
  readonly tubeletSize?: number;
  /** Side of a cube in pixels, a multiple of 4; default 16. */
  readonly patch?: number;
}

/** A batch of clips and the grid of cubes that it divides into. */
export interface ClipGeometry {
  readonly batch: number;
  readonly frames: number;
  readonly height: number;
  readonly width: number;
  readonly tubeletSize: number;
  readonly patch: number;
  /** Cubes along time, height and width. */
  readonly grid: readonly [number, number, number];
  /** Cubes per clip. */
  readonly tokens: number;
  /** Values per cube: 3 · tubeletSize · patch². */
  readonly cubeLength: number;
}

/**
 * Geometry of uint8 frames [B, T, H, W, 3].
 *
 * @throws ShapeError when they do not divide into cubes
 */
export function framesGeometry(kernel: string, frames: GpuArray, cube: CubeSize): ClipGeometry {
  const [batch, count, height, width, channels] = frames.shape;
  if (frames.dtype !== 'u8' || frames.shape.length !== 5 || channels !== 3) {
    throw new ShapeError(`${kernel}: frames is ${frames}: give a u8 array [batch, frames, height, width, 3]`);
  }
  requireAligned(kernel, 'frames', frames, 4);
  return clipGeometry(kernel, batch!, count!, height!, width!, cube);
}

/**
 * Geometry of a normalised f32 video [B, 3, T, H, W].
 *
 * @throws ShapeError when it does not divide into cubes
 */
export function videoGeometry(kernel: string, video: GpuArray, cube: CubeSize): ClipGeometry {
  const [batch, channels, count, height, width] = video.shape;
  if (video.dtype !== 'f32' || video.shape.length !== 5 || channels !== 3) {
    throw new ShapeError(`${kernel}: video is ${video}: give an f32 array [batch, 3, frames, height, width]`);
  }
  requireAligned(kernel, 'video', video, 16);
  return clipGeometry(kernel, batch!, count!, height!, width!, cube);
}

function clipGeometry(
  kernel: string,
  batch: number,
  frames: number,
  height: number,
  width: number,
  { tubeletSize = 2, patch = 16 }: CubeSize,
): ClipGeometry {
  if (!Number.isInteger(tubeletSize) || tubeletSize < 1) {
    throw new ShapeError(`${kernel}: tubeletSize is ${tubeletSize}: give a positive number of frames`);
  }
  if (!Number.isInteger(patch) || patch < 4 || patch % 4 !== 0) {
    throw new ShapeError(`${kernel}: patch is ${patch}: give a multiple of 4 pixels`);
  }
  const grid = [frames / tubeletSize, height / patch, width / patch] as const;
  if (!grid.every(Number.isInteger)) {
    throw new ShapeError(
      `${kernel}: clips of ${frames} frames of ${height}×${width} do not divide into cubes of` +
        ` ${tubeletSize}×${patch}×${patch}: resize or crop them first`,
    );
  }
  return {
    batch,
    frames,
    height,
    width,
    tubeletSize,
    patch,
    grid,
    tokens: grid[0] * grid[1] * grid[2],
    cubeLength: 3 * tubeletSize * patch * patch,
  };
}

/** @throws ShapeError unless `array` is contiguous and begins at a multiple of `alignmentBytes` in its storage */
export function requireAligned(kernel: string, name: string, array: GpuArray, alignmentBytes: number): void {
  if (!array.isContiguous || (array.offset * elementBytes(array.dtype)) % alignmentBytes !== 0) {
    throw new ShapeError(
      `${kernel}: ${name} is ${array}, offset ${array.offset}: give a contiguous array whose offset is a multiple of` +
        ` ${alignmentBytes} bytes`,
    );
  }
}

/** @throws ShapeError unless `indices` is a contiguous u32 array [batch, n]; returns n */
export function requireTokenIndices(kernel: string, name: string, indices: GpuArray, batch: number): number {
  const [rows, count] = indices.shape;
  if (indices.dtype !== 'u32' || indices.shape.length !== 2 || rows !== batch || !indices.isContiguous) {
    throw new ShapeError(
      `${kernel}: ${name} is ${indices}: give a contiguous u32 array [${batch}, tokens per clip]`,
    );
  }
  return count!;
}

/** @throws ShapeError unless `out` is contiguous f32 of the given shape and 16-byte aligned */
export function requireCubesOut(kernel: string, out: GpuArray, shape: readonly number[]): void {
  if (
    out.dtype !== 'f32' ||
    out.shape.length !== shape.length ||
    out.shape.some((extent, i) => extent !== shape[i])
  ) {
    throw new ShapeError(`${kernel}: out is ${out}: give f32[${shape.join(', ')}]`);
  }
  requireAligned(kernel, 'out', out, 16);
}
