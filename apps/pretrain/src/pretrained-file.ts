/** The models of pre-training in files: checkpoints of `pretrain`, and those that the published code has written. */
import type { PytorchCheckpoint, SafetensorsTensor } from '@tubelet/autograd/formats';
import {
  depthOfShapes,
  encoderOfShapes,
  lgiFormer,
  paperClip,
  tokenGrid,
  vitBase,
  type EncoderConfig,
  type Extents,
  type PretrainingConfig,
} from '@tubelet/mae-dfer';
import { checkpointWeights, UserError } from '@tubelet/trainer';
import { loadCheckpoint, readPytorchFile } from '@tubelet/trainer/formats';
import { checkpointConfig, trainedClips, untrainedPart, type TrainedClips } from './training-state.js';

/** A model of pre-training with what is known of its training. */
export interface PretrainedFile {
  readonly config: PretrainingConfig;
  readonly weights: ReadonlyMap<string, SafetensorsTensor>;
  /** How its clips were cut out of videos, where the file says so. */
  readonly clips?: TrainedClips;
  /** What it was not trained to predict. */
  readonly untrained?: 'appearance' | 'motion';
}

/** The regions of the paper's Table 4, its own first. */
const PAPER_REGIONS: readonly Extents[] = [
  [2, 5, 10],
  [1, 5, 10],
  [2, 2, 10],
  [2, 10, 10],
  [4, 5, 10],
];

/**
 * Reads a model of pre-training.
 *
 * @throws {UserError} when the file cannot be read or is of something else; {@link CheckpointCorruptError}
 */
export async function readPretrained(path: string): Promise<PretrainedFile> {
  if (/\.(pth|pt)$/i.test(path)) return readPublished(path);
  const checkpoint = await loadCheckpoint(path);
  return {
    config: checkpointConfig(path, checkpoint),
    weights: checkpointWeights(checkpoint),
    clips: trainedClips(path, checkpoint),
    untrained: untrainedPart(checkpoint),
  };
}

async function readPublished(path: string): Promise<PretrainedFile> {
  const checkpoint = await readPytorchFile(path);
  const config = publishedConfig(path, checkpoint);
  const weight = checkpoint.settings.get('target_diff_weight');
  const untrained = ({ 0: 'motion', 1: 'appearance' } as const)[Number(weight ?? NaN)];
  return {
    config,
    weights: checkpoint.tensors,
    // Published models were pre-trained on VoxCeleb2; those on videos of anything else were not cropped by faces.
    clips: { frameStep: 4, crop: config.encoder.kind === 'lgi-former' ? 'voxceleb' : 'centre' },
    untrained,
  };
}

/** The model that tensors of pre-training are of. What they do not tell, such as the heads, is as published. */
function publishedConfig(path: string, { tensors, settings }: PytorchCheckpoint): PretrainingConfig {
  const shapes = new Map([...tensors].map(([name, { shape }]) => [name, shape] as const));
  const dim = shapes.get('encoder.patch_embed.proj.weight')?.[0];
  const decoderDim = shapes.get('mask_token')?.at(-1);
  if (dim === undefined || decoderDim === undefined) {
    const lacking = dim === undefined ? 'encoder.patch_embed' : 'mask_token';
    throw new UserError(`${path} is not a checkpoint of pre-training: it lacks ${lacking}.`);
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
  const region = regionOfCount(path, whole, shapes.get('encoder.lg_region_tokens')![0]!);
  return { encoder: { ...whole, region }, decoder, decoderPositions: 'reference', target: 'difference' };
}

function regionOfCount(path: string, encoder: EncoderConfig, count: number): Extents {
  const grid = tokenGrid(encoder);
  const region = PAPER_REGIONS.find(
    (extents) => extents.reduce((product, extent, axis) => (product * grid[axis]!) / extent, 1) === count,
  );
  if (region) return region;
  throw new UserError(
    `${path} has ${count} regions, and none of those in the paper (${PAPER_REGIONS.map((one) => one.join('×')).join(', ')}) ` +
      `gives so many of ${grid.join('×')} cubes: its model cannot be told from the file.`,
  );
}
