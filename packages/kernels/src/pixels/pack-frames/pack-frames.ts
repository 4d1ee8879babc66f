import { ShapeError } from '../../runtime/errors.js';
import type { GpuArray } from '../../runtime/gpu-array.js';
import type { Cost } from '../../runtime/ledger.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { Variant } from '../../runtime/variants.js';
import packFramesWgsl from './pack-frames.wgsl';

export const packFramesVariants: readonly Variant[] = [{ name: 'four-pixels', needs: [], prefers: 'any' }];

const INVOCATIONS_PER_WORKGROUP = 64;

export function packFramesCost(pixels: number): Cost {
  return { macs: 0, flops: 0, bytesRead: 4 * pixels, bytesWritten: 3 * pixels };
}

/**
 * Pixels as the frames that cubes and targets are taken from.
 *
 * @param pixels u32, contiguous: a word red | green << 8 | blue << 16 for each pixel.
 * @param frames u8 [..., 3], contiguous, of as many pixels, a multiple of 4; it begins at a whole word.
 * @throws ShapeError for other arrays
 */
export function packFrames(
  runtime: Runtime,
  { pixels, frames }: { readonly pixels: GpuArray; readonly frames: GpuArray },
): void {
  const isWhole = frames.isContiguous && frames.offset % 4 === 0 && pixels.isContiguous;
  const areTypes = pixels.dtype === 'u32' && frames.dtype === 'u8';
  if (!isWhole || !areTypes || frames.size !== 3 * pixels.size || pixels.size % 4 !== 0) {
    throw new ShapeError(
      `pack-frames: ${pixels} do not fill ${frames}: give whole arrays of u32 and u8 and of the same number of pixels, a ` +
        'multiple of 4',
    );
  }
  const count = pixels.size / 4;
  const workgroups = runtime.linearGrid(Math.ceil(count / INVOCATIONS_PER_WORKGROUP));
  runtime.run({
    kernel: 'pack-frames',
    wgsl: [packFramesWgsl],
    constants: {},
    data: {
      COUNT: count,
      GRID_X: workgroups[0],
      PIXELS_OFFSET: pixels.offset,
      OUT_OFFSET_WORDS: frames.offset / 4,
    },
    arrays: { pixels, frames },
    workgroups,
    cost: packFramesCost(pixels.size),
  });
}
