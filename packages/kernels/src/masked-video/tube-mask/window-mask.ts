import { TubeletError } from '../../runtime/errors.js';
import { PhiloxStream, streamPurpose } from '../../philox/philox.js';

/** Tube masks of pre-training; `sample` is the index of the clip in its data set. */
export const MASK_PURPOSE = streamPurpose(1);

/** Three extents: time, height, width. */
export type Extents3 = readonly [number, number, number];

/** A mask cannot be drawn, or a given one cannot be used, with this grid, region and ratio. */
export class MaskError extends TubeletError {}

/** Which mask to draw. */
export type MaskDesign = {
  /** Tokens of a clip along time, height and width. */
  readonly grid: Extents3;
  /** Share of each window to mask, in [0, 1); `int(maskRatio · positions)` of them are. */
  readonly maskRatio: number;
} & (
  | {
      /** `window`: the same number of positions of every window, which is a region's height × width. */
      readonly kind?: 'window';
      /** Tokens of a region along time, height and width. */
      readonly region: Extents3;
    }
  | {
      /** `tube`: positions of the whole frame, without regard to regions; the grid is the one region. */
      readonly kind: 'tube';
    }
);

/** The numbers that follow from a mask's design; those of visible and masked tokens are per clip. */
export interface WindowMaskCounts {
  readonly grid: Extents3;
  readonly region: Extents3;
  /** Regions along time, height and width. */
  readonly regionGrid: Extents3;
  /** M, the number of regions. */
  readonly regions: number;
  /** Visible positions of each window; of given masks that differ between slots, the mean over slots. */
  readonly visiblePerWindow: number;
  /** Visible tokens of each region: its temporal extent times `visiblePerWindow`. */
  readonly visiblePerRegion: number;
  readonly visibleCount: number;
  readonly maskedCount: number;
}

/** Token lists of a batch of masks, row-major. Tokens are p = (t·H + h)·W + w. */
export interface MaskLists {
  /**
   * [B, M, visiblePerRegion]: visible tokens by region r = (ti·nh + hi)·nw + wi, ascending within each: the order
   * of the encoder's rows. It differs from ascending order wherever a region spans several temporal slots and a
   * frame several regions.
   */
  readonly visible: Uint32Array;
  /** [B, maskedCount]: masked tokens, ascending. */
  readonly masked: Uint32Array;
  /** [B, visibleCount]: visible tokens, ascending. */
  readonly visibleAscending: Uint32Array;
}

/**
 * Counts of a mask.
 *
 * @throws MaskError for a ratio outside [0, 1) and a grid that regions do not divide
 */
export function windowMaskCounts(design: MaskDesign): WindowMaskCounts {
  const { grid, maskRatio } = design;
  const region = design.kind === 'tube' ? grid : design.region;
  if (!(maskRatio >= 0 && maskRatio < 1)) {
    throw new MaskError(`maskRatio is ${maskRatio}: give a number of at least 0 and below 1`);
  }
  const regionGrid = divideIntoRegions(grid, region);
  // A ratio below 1 leaves at least one position: the rounded product stays below `window`.
  const window = region[1] * region[2];
  const visiblePerWindow = window - Math.floor(maskRatio * window);
  return countsOf(grid, region, regionGrid, region[0] * visiblePerWindow);
}

/**
 * Draws masks on the host; `tubeMask` draws the same on the GPU. Sample s uses the stream (seed, MASK_PURPOSE, epoch,
 * s). For each window in order, positions q = 0, 1, … (row-major in the window) are shuffled from the end (exchange i
 * with integer(i + 1), i from the last downwards) for as many steps as positions are to be visible; those drawn to the
 * end are visible, in every temporal slot.
 *
 * @throws MaskError as `windowMaskCounts`, RangeError for seeds, epochs and samples that do not fit
 */
export function tubeMaskHost(
  design: MaskDesign & { readonly samples: ArrayLike<number>; readonly seed: number; readonly epoch: number },
): MaskLists {
  const { samples, seed, epoch } = design;
  const counts = windowMaskCounts(design);
  const [time, height, width] = counts.grid;
  const [, windowHeight, windowWidth] = counts.region;
  const mask = new Uint8Array(samples.length * time * height * width).fill(1);
  for (let b = 0; b < samples.length; b++) {
    const stream = new PhiloxStream({ seed, purpose: MASK_PURPOSE, epoch, sample: samples[b]! });
    for (let top = 0; top < height; top += windowHeight) {
      for (let left = 0; left < width; left += windowWidth) {
        for (const position of drawFromEnd(stream, windowHeight * windowWidth, counts.visiblePerWindow)) {
          const h = top + Math.floor(position / windowWidth);
          const w = left + (position % windowWidth);
          for (let t = 0; t < time; t++) mask[((b * time + t) * height + h) * width + w] = 0;
        }
      }
    }
  }
  return listTokens(mask, samples.length, counts);
}

/**
 * The lists of given masks. `mask` is [B, N], row-major, 1 = masked (any non-zero value counts), N the grid's tokens.
 *
 * @throws MaskError when its length is not a multiple of N, or when regions differ in their number of visible tokens
 *   (within a sample or between samples): the encoder keeps regions in one rectangular array
 */
export function maskFromBooleans(
  mask: Uint8Array,
  grid: Extents3,
  region: Extents3,
): MaskLists & { readonly counts: WindowMaskCounts } {
  const regionGrid = divideIntoRegions(grid, region);
  const tokens = grid[0] * grid[1] * grid[2];
  const batch = mask.length / tokens;
  if (!Number.isInteger(batch) || batch === 0) {
    throw new MaskError(
      `a mask of ${mask.length} values is not a batch of masks of ${grid.join('×')} = ${tokens} tokens`,
    );
  }
  const regions = regionGrid[0] * regionGrid[1] * regionGrid[2];
  const visible = new Uint32Array(batch * regions);
  mask.forEach((masked, i) => {
    if (!masked)
      visible[Math.floor(i / tokens) * regions + regionOf(i % tokens, grid, region, regionGrid)]!++;
  });
  const first = visible[0]!;
  const odd = visible.findIndex((count) => count !== first);
  if (odd >= 0) {
    throw new MaskError(
      `sample ${Math.floor(odd / regions)}, region ${odd % regions} has ${visible[odd]} visible tokens, but the first` +
        ` region of the batch has ${first}: all regions must have as many (mask by windows of a region's height × width)`,
    );
  }
  if (first === 0) throw new MaskError('the mask leaves no token visible');
  const counts = countsOf(grid, region, regionGrid, first);
  return { ...listTokens(mask, batch, counts), counts };
}

function divideIntoRegions(grid: Extents3, region: Extents3): Extents3 {
  for (const [name, extents] of Object.entries({ grid, region })) {
    if (extents.length !== 3 || !extents.every((extent) => Number.isInteger(extent) && extent > 0)) {
      throw new MaskError(
        `${name} is [${extents.join(', ')}]: give three positive integers (time, height, width)`,
      );
    }
  }
  const regionGrid = [grid[0] / region[0], grid[1] / region[1], grid[2] / region[2]] as const;
  if (!regionGrid.every(Number.isInteger)) {
    throw new MaskError(
      `a grid of ${grid.join('×')} tokens does not divide into regions of ${region.join('×')}`,
    );
  }
  return regionGrid;
}

function countsOf(
  grid: Extents3,
  region: Extents3,
  regionGrid: Extents3,
  visiblePerRegion: number,
): WindowMaskCounts {
  const regions = regionGrid[0] * regionGrid[1] * regionGrid[2];
  const visibleCount = regions * visiblePerRegion;
  return {
    grid,
    region,
    regionGrid,
    regions,
    visiblePerWindow: visiblePerRegion / region[0],
    visiblePerRegion,
    visibleCount,
    maskedCount: grid[0] * grid[1] * grid[2] - visibleCount,
  };
}

function drawFromEnd(stream: PhiloxStream, positions: number, draws: number): number[] {
  const order = Array.from({ length: positions }, (_, i) => i);
  for (let i = positions - 1; i >= positions - draws; i--) {
    const j = stream.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order.slice(positions - draws);
}

function regionOf(token: number, grid: Extents3, region: Extents3, regionGrid: Extents3): number {
  const w = token % grid[2];
  const h = Math.floor(token / grid[2]) % grid[1];
  const t = Math.floor(token / (grid[1] * grid[2]));
  const ti = Math.floor(t / region[0]);
  const hi = Math.floor(h / region[1]);
  return (ti * regionGrid[1] + hi) * regionGrid[2] + Math.floor(w / region[2]);
}

/** Splits masks, whose regions are known to have `counts.visiblePerRegion` visible tokens each, into lists. */
function listTokens(mask: Uint8Array, batch: number, counts: WindowMaskCounts): MaskLists {
  const { grid, region, regionGrid, regions, visiblePerRegion, visibleCount, maskedCount } = counts;
  const tokens = grid[0] * grid[1] * grid[2];
  const visible = new Uint32Array(batch * visibleCount);
  const masked = new Uint32Array(batch * maskedCount);
  const visibleAscending = new Uint32Array(batch * visibleCount);
  for (let b = 0; b < batch; b++) {
    const filled = new Uint32Array(regions);
    let visibleSoFar = b * visibleCount;
    let maskedSoFar = b * maskedCount;
    for (let p = 0; p < tokens; p++) {
      if (mask[b * tokens + p]) {
        masked[maskedSoFar++] = p;
        continue;
      }
      visibleAscending[visibleSoFar++] = p;
      const r = regionOf(p, grid, region, regionGrid);
      visible[(b * regions + r) * visiblePerRegion + filled[r]!++] = p;
    }
  }
  return { visible, masked, visibleAscending };
}
