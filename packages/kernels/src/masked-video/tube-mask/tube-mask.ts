import { ShapeError } from '../../runtime/errors.js';
import type { GpuArray } from '../../runtime/gpu-array.js';
import type { Cost } from '../../runtime/ledger.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { Variant } from '../../runtime/variants.js';
import mulHighWgsl from '../../philox/mul-high.wgsl';
import streamWgsl from '../../philox/philox-stream.wgsl';
import philoxWgsl from '../../philox/philox.wgsl';
import { withPhiloxKey, type PhiloxKeySource } from '../../philox/philox-key.js';
import maskWgsl from './tube-mask.wgsl';
import {
  MASK_PURPOSE,
  MaskError,
  windowMaskCounts,
  type MaskDesign,
  type WindowMaskCounts,
} from './window-mask.js';

export const tubeMaskVariants: readonly Variant[] = [
  { name: 'workgroup-per-sample', needs: [], prefers: 'any' },
];

/** A mask's design, the key of its draws and where its lists go. */
export type TubeMaskOptions = MaskDesign &
  PhiloxKeySource & {
    /** u32 [B]: the index of each sample in its dataset. A sample's mask depends on it, seed and epoch alone. */
    readonly samples: GpuArray;
    /** u32 [B, M, visiblePerRegion]: visible tokens, region-major. */
    readonly visible: GpuArray;
    /** u32 [B, maskedCount]: masked tokens, ascending. */
    readonly masked: GpuArray;
    /** u32 [B, visibleCount]: visible tokens, ascending. */
    readonly visibleAscending: GpuArray;
  };

export function tubeMaskCost(batch: number, { visibleCount, maskedCount }: WindowMaskCounts): Cost {
  return {
    macs: 0,
    flops: 0,
    bytesRead: 16 + 4 * batch,
    bytesWritten: 4 * batch * (2 * visibleCount + maskedCount),
  };
}

/**
 * Draws the masks of a batch on the GPU: the lists that `tubeMaskHost` gives, bit for bit. Sizes come from
 * `windowMaskCounts`. Source: Sun et al., “MAE-DFER”, ACM MM 2023 (window-wise tube masking); Tong et al., “VideoMAE”,
 * NeurIPS 2022 (`tube`).
 *
 * @throws MaskError for a design that cannot be drawn or masks nothing, ShapeError for arrays of other shapes
 */
export function tubeMask(runtime: Runtime, options: TubeMaskOptions): void {
  const { samples, visible, masked, visibleAscending } = options;
  const counts = windowMaskCounts(options);
  const { grid, region, regions, visiblePerWindow, visiblePerRegion, visibleCount, maskedCount } = counts;
  if (maskedCount === 0) {
    throw new MaskError(
      `maskRatio ${options.maskRatio} masks none of ${region[1]}×${region[2]} positions: raise it, or leave out the mask`,
    );
  }
  const [batch] = samples.shape;
  const expected: [string, GpuArray, number[]][] = [
    ['samples', samples, [batch ?? 1]],
    ['visible', visible, [batch ?? 1, regions, visiblePerRegion]],
    ['masked', masked, [batch ?? 1, maskedCount]],
    ['visibleAscending', visibleAscending, [batch ?? 1, visibleCount]],
  ];
  for (const [name, array, shape] of expected) {
    if (array.dtype !== 'u32' || !array.isContiguous || array.shape.join() !== shape.join()) {
      throw new ShapeError(`tube-mask: ${name} is ${array}: give a contiguous u32[${shape.join(', ')}]`);
    }
  }
  const workgroups = runtime.linearGrid(batch!);
  withPhiloxKey(runtime, 'tube-mask', options, (key) =>
    runtime.run({
      kernel: 'tube-mask',
      wgsl: [mulHighWgsl, philoxWgsl, streamWgsl, maskWgsl],
      // Workgroup memory of their size, and the number of draws, hang on these.
      constants: { HEIGHT: grid[1], WIDTH: grid[2], WINDOW_HEIGHT: region[1], WINDOW_WIDTH: region[2] },
      data: {
        PURPOSE: MASK_PURPOSE,
        BATCH: batch!,
        GRID_X: workgroups[0],
        TIME: grid[0],
        REGION_TIME: region[0],
        VISIBLE_PER_WINDOW: visiblePerWindow,
        SAMPLES_OFFSET: samples.offset,
        VISIBLE_OFFSET: visible.offset,
        MASKED_OFFSET: masked.offset,
        ASCENDING_OFFSET: visibleAscending.offset,
      },
      arrays: { key, samples, visible, masked, ascending: visibleAscending },
      workgroups,
      cost: tubeMaskCost(batch!, counts),
    }),
  );
}
