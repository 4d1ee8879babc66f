/** Masks that leave regions unequal numbers of visible tokens. */
import {
  MaskError,
  maskFromBooleans,
  tubeMaskHost,
  uploadIndices,
  windowMaskCounts,
  type Runtime,
} from '@tubelet/kernels';
import { regionOf, tokenCount, tokenGrid, type EncoderConfig } from './config.js';
import { drawMask, type MaskKey, type MaskOnDevice } from './mask.js';

/**
 * Draws plain random tube masks, as VideoMAE has them: positions of the whole frame, without regard to regions. The
 * regions of LGI-Former are then padded to the one with the most visible tokens, and none attends to padding. A ViT is
 * trained with such masks.
 *
 * @throws MaskError for a ratio that masks nothing or cannot be had
 */
export function drawTubeMask(
  runtime: Runtime,
  config: EncoderConfig,
  maskRatio: number,
  key: MaskKey,
): MaskOnDevice {
  if (config.kind === 'vit') return drawMask(runtime, config, maskRatio, key);
  const design = { grid: tokenGrid(config), maskRatio, kind: 'tube' } as const;
  if (windowMaskCounts(design).maskedCount === 0) {
    throw new MaskError(`maskRatio ${maskRatio} masks none of the positions of a frame: raise it`);
  }
  const { masked } = tubeMaskHost({ ...design, ...key });
  const tokens = tokenCount(config);
  const mask = new Uint8Array(key.samples.length * tokens);
  const maskedEach = masked.length / key.samples.length;
  masked.forEach((token, i) => (mask[Math.floor(i / maskedEach) * tokens + token] = 1));
  return uploadUnevenMask(runtime, config, mask);
}

/**
 * Uploads given masks [B, tokens], 1 = masked, whose regions may differ in visible tokens.
 *
 * @throws MaskError when clips differ in visible tokens, or all or none are visible
 */
export function uploadUnevenMask(runtime: Runtime, config: EncoderConfig, mask: Uint8Array): MaskOnDevice {
  const tokens = tokenCount(config);
  const batch = mask.length / tokens;
  // One region that covers the clip: this checks the masks and lists their tokens.
  const whole = maskFromBooleans(mask, tokenGrid(config), tokenGrid(config));
  const { visibleCount, maskedCount } = whole.counts;
  if (maskedCount === 0) throw new MaskError('the mask masks no token');
  const counts = windowMaskCounts({ grid: tokenGrid(config), region: regionOf(config), maskRatio: 0 });
  const regionOfToken = regionsOfTokens(config, counts.regions);
  const groups = Array.from({ length: batch * counts.regions }, (): number[] => []);
  whole.visibleAscending.forEach((token, i) => {
    groups[Math.floor(i / visibleCount) * counts.regions + regionOfToken[token]!]!.push(token);
  });
  const most = Math.max(...groups.map((group) => group.length));
  const rows = groups.flatMap((group, g) => group.map((_, i) => g * most + i));
  const upload = (data: ArrayLike<number>, shape: number[], of: number, label: string) =>
    uploadIndices(runtime, Uint32Array.from(data), shape, { rows: of, label });
  const padded = groups.flatMap((group) => [...group, ...new Array<number>(most - group.length).fill(0)]);
  return {
    counts: {
      ...counts,
      visiblePerWindow: most / counts.region[0],
      visiblePerRegion: most,
      visibleCount,
      maskedCount,
    },
    visible: upload(padded, [batch, counts.regions, most], tokens, 'visible tokens'),
    masked: upload(whole.masked, [batch, maskedCount], tokens, 'masked tokens'),
    visibleAscending: upload(whole.visibleAscending, [batch, visibleCount], tokens, 'visible tokens'),
    uneven: {
      tokensOfRegions: groups.map((group) => group.length),
      rows: upload(rows, [batch, visibleCount], groups.length * most, 'rows of visible tokens'),
      tokens: upload(groups.flat(), [batch, visibleCount], tokens, 'visible tokens'),
    },
  };
}

/** The region of each token: what a mask that hides nothing lists, read the other way round. */
function regionsOfTokens(config: EncoderConfig, regions: number): Uint32Array {
  const tokens = tokenCount(config);
  const { visible } = maskFromBooleans(new Uint8Array(tokens), tokenGrid(config), regionOf(config));
  const result = new Uint32Array(tokens);
  visible.forEach((token, i) => (result[token] = Math.floor((i * regions) / tokens)));
  return result;
}
