import {
  maskFromBooleans,
  tubeMask,
  windowMaskCounts,
  type GpuArray,
  type MaskDesign,
  type Runtime,
  type WindowMaskCounts,
} from '@tubelet/kernels';
import { regionOf, tokenGrid, type EncoderConfig } from './config.js';

/** Masks of a batch as lists of token indices. */
export interface MaskOnDevice {
  readonly counts: WindowMaskCounts;
  /** u32 [B, M, visiblePerRegion]: visible tokens, region-major. */
  readonly visible: GpuArray;
  /** u32 [B, masked]: masked tokens, ascending. */
  readonly masked: GpuArray;
  /** u32 [B, visible]: visible tokens, ascending. */
  readonly visibleAscending: GpuArray;
}

/** Which samples to draw masks for; equal keys give equal masks in any batch and on any machine. */
export interface MaskKey {
  readonly seed: number;
  readonly epoch: number;
  readonly samples: readonly number[];
}

/** The mask that fits an encoder: by region windows for LGI-Former, over whole frames for a ViT. */
export function maskDesign(config: EncoderConfig, maskRatio: number): MaskDesign {
  const grid = tokenGrid(config);
  return config.kind === 'lgi-former'
    ? { grid, maskRatio, region: regionOf(config) }
    : { grid, maskRatio, kind: 'tube' };
}

/** Draws the masks of a batch on the GPU. Throws `MaskError` for a ratio that cannot be had. */
export function drawMask(
  runtime: Runtime,
  config: EncoderConfig,
  maskRatio: number,
  key: MaskKey,
): MaskOnDevice {
  const design = maskDesign(config, maskRatio);
  const counts = windowMaskCounts(design);
  const batch = key.samples.length;
  const samples = runtime.upload(Uint32Array.from(key.samples), [batch], 'u32', 'sample indices');
  const visible = runtime.empty([batch, counts.regions, counts.visiblePerRegion], 'u32', 'visible tokens');
  const masked = runtime.empty([batch, counts.maskedCount], 'u32', 'masked tokens');
  const visibleAscending = runtime.empty([batch, counts.visibleCount], 'u32', 'visible tokens');
  const { seed, epoch } = key;
  tubeMask(runtime, { ...design, samples, seed, epoch, visible, masked, visibleAscending });
  return { counts, visible, masked, visibleAscending };
}

/** Uploads given masks [B, tokens], 1 = masked. Throws `MaskError` when regions differ in visible tokens. */
export function uploadMask(runtime: Runtime, config: EncoderConfig, mask: Uint8Array): MaskOnDevice {
  const { counts, ...lists } = maskFromBooleans(mask, tokenGrid(config), regionOf(config));
  const batch = lists.masked.length / counts.maskedCount;
  const upload = (data: Uint32Array, shape: number[]) => runtime.upload(data, shape, 'u32', 'mask');
  return {
    counts,
    visible: upload(lists.visible, [batch, counts.regions, counts.visiblePerRegion]),
    masked: upload(lists.masked, [batch, counts.maskedCount]),
    visibleAscending: upload(lists.visibleAscending, [batch, counts.visibleCount]),
  };
}
