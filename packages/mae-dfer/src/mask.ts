import type { StepInput } from '@tubelet/autograd';
import {
  MaskError,
  maskFromBooleans,
  philoxKeyWords,
  tubeMask,
  uploadIndices,
  windowMaskCounts,
  type GpuArray,
  type MaskDesign,
  type PhiloxKeySource,
  type Runtime,
  type WindowMaskCounts,
} from '@tubelet/kernels';
import { regionOf, tokenCount, tokenGrid, type EncoderConfig } from './config.js';

/** Masks of a batch as lists of token indices. */
export interface MaskOnDevice {
  readonly counts: WindowMaskCounts;
  /** u32 [B, M, visiblePerRegion]: visible tokens, region-major. */
  readonly visible: GpuArray;
  /** u32 [B, masked]: masked tokens, ascending. */
  readonly masked: GpuArray;
  /** u32 [B, visible]: visible tokens, ascending. */
  readonly visibleAscending: GpuArray;
  /** Where regions may differ in visible tokens; all are then padded to the most, `visiblePerRegion`. */
  readonly uneven?: UnevenRegions;
}

/** Which rows of regions that were padded to one length are tokens. */
export interface UnevenRegions {
  /** [B·M]: visible tokens of each region, which come before its padding. */
  readonly tokensOfRegions: readonly number[];
  /** u32 [B, visible]: where the visible tokens are among the B·M·visiblePerRegion rows, region-major. */
  readonly rows: GpuArray;
  /** u32 [B, visible]: which tokens these are. */
  readonly tokens: GpuArray;
}

/** Which samples to draw masks for; equal keys give equal masks in any batch and on any machine. */
export interface MaskKey {
  readonly seed: number;
  readonly epoch: number;
  readonly samples: readonly number[];
}

/** A `MaskKey` on the GPU, for steps that are recorded; `maskKeyInputs` gives the contents. */
export interface MaskKeyOnDevice {
  /** u32 [4]: a key as `createPhiloxKey` makes it. */
  readonly key: GpuArray;
  /** u32 [B]: sample indices. */
  readonly samples: GpuArray;
}

/** The inputs `key` and `samples` of a recorded step that draws masks or paths to drop. */
export function maskKeyInputs({ seed, epoch, samples }: MaskKey): Record<'key' | 'samples', StepInput> {
  return {
    key: { data: philoxKeyWords({ seed, epoch }), shape: [4] },
    samples: { data: Uint32Array.from(samples), shape: [samples.length] },
  };
}

/** What kernels that draw for each sample need of a key, uploaded where it is not on the GPU yet. */
export function randomKey(
  runtime: Runtime,
  key: MaskKey | MaskKeyOnDevice,
): PhiloxKeySource & { readonly samples: GpuArray } {
  if ('key' in key) return key;
  const { seed, epoch, samples } = key;
  const indices = runtime.upload(Uint32Array.from(samples), [samples.length], 'u32', 'sample indices');
  return { seed, epoch, samples: indices };
}

/** The mask that fits an encoder: by region windows for LGI-Former, over whole frames for a ViT. */
export function maskDesign(config: EncoderConfig, maskRatio: number): MaskDesign {
  const grid = tokenGrid(config);
  return config.kind === 'lgi-former'
    ? { grid, maskRatio, region: regionOf(config) }
    : { grid, maskRatio, kind: 'tube' };
}

/**
 * Draws the masks of a batch on the GPU.
 *
 * @throws MaskError for a ratio that cannot be had
 */
export function drawMask(
  runtime: Runtime,
  config: EncoderConfig,
  maskRatio: number,
  key: MaskKey | MaskKeyOnDevice,
): MaskOnDevice {
  const design = maskDesign(config, maskRatio);
  const counts = windowMaskCounts(design);
  const { samples, ...source } = randomKey(runtime, key);
  const batch = samples.size;
  const visible = runtime.empty([batch, counts.regions, counts.visiblePerRegion], 'u32', 'visible tokens');
  const masked = runtime.empty([batch, counts.maskedCount], 'u32', 'masked tokens');
  const visibleAscending = runtime.empty([batch, counts.visibleCount], 'u32', 'visible tokens');
  tubeMask(runtime, { ...design, ...source, samples, visible, masked, visibleAscending });
  return { counts, visible, masked, visibleAscending };
}

/** @throws MaskError for a mask of other clips than the encoder's: its indices would point outside them */
export function requireMask({ counts: { grid, region } }: MaskOnDevice, config: EncoderConfig): void {
  const [wantedGrid, wantedRegion] = [tokenGrid(config), regionOf(config)];
  if (grid.join() === wantedGrid.join() && region.join() === wantedRegion.join()) return;
  throw new MaskError(
    `the mask is of ${grid.join('×')} tokens in regions of ${region.join('×')}, but the model takes` +
      ` ${wantedGrid.join('×')} in regions of ${wantedRegion.join('×')}: make it with the model's configuration`,
  );
}

/**
 * Uploads given masks [B, tokens], 1 = masked.
 *
 * @throws MaskError when regions differ in visible tokens
 */
export function uploadMask(runtime: Runtime, config: EncoderConfig, mask: Uint8Array): MaskOnDevice {
  const { counts, ...lists } = maskFromBooleans(mask, tokenGrid(config), regionOf(config));
  const batch = lists.masked.length / counts.maskedCount;
  const upload = (data: Uint32Array, shape: number[]) =>
    uploadIndices(runtime, data, shape, { rows: tokenCount(config), label: 'mask' });
  return {
    counts,
    visible: upload(lists.visible, [batch, counts.regions, counts.visiblePerRegion]),
    masked: upload(lists.masked, [batch, counts.maskedCount]),
    visibleAscending: upload(lists.visibleAscending, [batch, counts.visibleCount]),
  };
}
