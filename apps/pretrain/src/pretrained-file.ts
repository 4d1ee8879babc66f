/** The models of pre-training in files: checkpoints of `train`, and those that the published code has written. */
import { readFile } from 'node:fs/promises';
import type { SafetensorsTensor } from '@tubelet/autograd';
import {
  CheckpointFormatError,
  lgiFormer,
  paperClip,
  readPytorchCheckpoint,
  tokenGrid,
  vitBase,
  type EncoderConfig,
  type Extents,
  type PretrainingConfig,
  type PytorchCheckpoint,
} from '@tubelet/mae-dfer';
import { CheckpointReadError, checkpointWeights, loadCheckpoint, UserError } from '@tubelet/trainer';
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
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new CheckpointReadError(path, (error as Error).message, { cause: error });
  }
  let checkpoint: PytorchCheckpoint;
  try {
    checkpoint = readPytorchCheckpoint(bytes);
  } catch (error) {
    if (!(error instanceof CheckpointFormatError)) throw error;
    throw new UserError(`${path} cannot be used: ${error.message}`, { cause: error });
  }
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
  const shape = (name: string) => tensors.get(name)?.shape;
  const [dim, , tubeletSize, patchSize] = shape('encoder.patch_embed.proj.weight') ?? [];
  const decoderDim = shape('mask_token')?.at(-1);
  if (dim === undefined || decoderDim === undefined) {
    throw new UserError(
      `${path} is not a checkpoint of pre-training: it lacks ${dim === undefined ? 'encoder.patch_embed' : 'mask_token'}.`,
    );
  }
  const depth = blocksOf(tensors, 'encoder');
  const size = /_(\d+)$/.exec(String(settings.get('model') ?? ''))?.[1];
  const imageSize = size === undefined ? paperClip.imageSize : Number(size);
  const common = { dim, depth, tubeletSize, patchSize, imageSize, heads: Math.max(1, Math.round(dim / 64)) };
  const decoder = {
    dim: decoderDim,
    depth: blocksOf(tensors, 'decoder'),
    heads: Math.max(1, Math.round(decoderDim / 64)),
  };
  const regions = shape('encoder.lg_region_tokens')?.[0];
  if (regions === undefined) {
    const target = settings.get('use_frame_diff_as_target') === true ? 'difference' : 'pixels';
    return { encoder: vitBase(common), decoder, decoderPositions: 'token', target };
  }
  const hasAttention = (which: string) => tensors.has(`encoder.blocks.0.${which}_attn.q.weight`);
  const encoder = lgiFormer('base', {
    ...common,
    region: regionOfCount(path, lgiFormer('base', common), regions),
    interRegion: hasAttention('second'),
    localGlobal: hasAttention('third'),
  });
  return { encoder, decoder, decoderPositions: 'reference', target: 'difference' };
}

function blocksOf(tensors: ReadonlyMap<string, unknown>, part: string): number {
  // No model has thousands of blocks; a name that says so would have them all made.
  const block = new RegExp(`^${part}\\.blocks\\.(\\d{1,3})\\.`);
  return Math.max(0, ...[...tensors.keys()].map((name) => 1 + Number(block.exec(name)?.[1] ?? -1)));
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
