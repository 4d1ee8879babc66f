import { CheckpointFormatError, type PytorchCheckpoint } from '@tubelet/autograd/formats';
import { lgiFormer, paperClip, tokenGrid, vitBase, type EncoderConfig, type Extents } from '../config.js';
import type { PretrainingConfig } from '../pretraining-model.js';
import { depthOfShapes, encoderOfShapes } from './encoder-of-shapes.js';

/** The regions of the paper's Table 4, its own first. */
const PAPER_REGIONS: readonly Extents[] = [
  [2, 5, 10],
  [1, 5, 10],
  [2, 2, 10],
  [2, 10, 10],
  [4, 5, 10],
];

/**
 * The model that the tensors of a published checkpoint of pre-training are of. What they do not tell, such as the
 * heads, is as published.
 *
 * @param knownRegion the extents [T, H, W] of its regions in cubes, where they are known; else those of the paper that
 *   give as many
 * @throws CheckpointFormatError where they are of something else, or have as many regions as none of the paper gives, or
 *   several
 */
export function publishedPretraining(
  { tensors, settings }: Pick<PytorchCheckpoint, 'tensors' | 'settings'>,
  knownRegion?: Extents,
): PretrainingConfig {
  const shapes = new Map([...tensors].map(([name, { shape }]) => [name, shape] as const));
  const dim = shapes.get('encoder.patch_embed.proj.weight')?.[0];
  const decoderDim = shapes.get('mask_token')?.at(-1);
  if (dim === undefined || decoderDim === undefined) {
    const lacking = dim === undefined ? 'encoder.patch_embed' : 'mask_token';
    throw new CheckpointFormatError(`it is not a checkpoint of pre-training: it lacks ${lacking}`);
  }
  const stated = encoderOfShapes(shapes);
  const size = /_(\d+)$/.exec(String(settings.get('model') ?? ''))?.[1];
  const imageSize = size === undefined ? paperClip.imageSize : Number(size);
  const common = { imageSize, heads: Math.max(1, Math.round(dim / 64)) };
  const decoder = {
    dim: decoderDim,
    depth: depthOfShapes(shapes, 'decoder.'),
    heads: Math.max(1, Math.round(decoderDim / 64)),
  };
  if (stated.kind === 'vit') {
    const target = settings.get('use_frame_diff_as_target') === true ? 'difference' : 'pixels';
    const { depth, tubeletSize, patchSize } = stated;
    const encoder = vitBase({ ...common, dim, depth, tubeletSize, patchSize });
    return { encoder, decoder, decoderPositions: 'token', target };
  }
  const { kind: _kind, ...settingsOfShapes } = stated;
  const whole = lgiFormer('base', { ...common, ...settingsOfShapes });
  const region = knownRegion ?? regionOfCount(whole, shapes.get('encoder.lg_region_tokens')![0]!);
  return { encoder: { ...whole, region }, decoder, decoderPositions: 'reference', target: 'difference' };
}

function regionOfCount(encoder: EncoderConfig, count: number): Extents {
  const grid = tokenGrid(encoder);
  const fitting = PAPER_REGIONS.filter(
    (extents) => extents.reduce((product, extent, axis) => (product * grid[axis]!) / extent, 1) === count,
  );
  const [region, ...others] = fitting;
  if (region && others.length === 0) return region;
  if (region) {
    throw new CheckpointFormatError(
      `it has ${count} regions, as ${fitting.map((one) => one.join('×')).join(' and ')} both give, and does not tell ` +
        `which: give it (${fitting.map((one) => `\`--region ${one.join(',')}\``).join(' or ')}), or use a checkpoint of ` +
        '`tubelet pretrain`, which tells its own',
    );
  }
  throw new CheckpointFormatError(
    `it has ${count} regions, and none of those in the paper (${PAPER_REGIONS.map((one) => one.join('×')).join(', ')}) ` +
      `gives so many of ${grid.join('×')} cubes: its model cannot be told from the file`,
  );
}
