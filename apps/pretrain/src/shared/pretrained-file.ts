/** The models of pre-training in files: checkpoints of `pretrain`, and those that the published code has written. */
import { statSync } from 'node:fs';
import {
  CheckpointFormatError,
  type PytorchCheckpoint,
  type SafetensorsTensor,
} from '@tubelet/autograd/formats';
import { publishedPretraining, type Extents, type PretrainingConfig } from '@tubelet/mae-dfer';
import { checkpointWeights, UserError } from '@tubelet/trainer';
import { latestCheckpoint, loadCheckpoint, readPytorchFile } from '@tubelet/trainer/formats';
import { checkpointConfig, trainedClips, untrainedPart, type TrainedClips } from '../train/training-state.js';

/** A model of pre-training with what is known of its training. */
export interface PretrainedFile {
  readonly config: PretrainingConfig;
  readonly weights: ReadonlyMap<string, SafetensorsTensor>;
  /** How its clips were cut out of videos, where the file says so. */
  readonly clips?: TrainedClips;
  /** What it was not trained to predict. */
  readonly untrained?: 'appearance' | 'motion';
}

/**
 * The file that an option means: itself, or the newest sound checkpoint of the run in a folder.
 *
 * @throws UserError for a folder without checkpoints; CheckpointCorruptError where none is sound
 */
export async function fileOf(option: string, place: string): Promise<string> {
  if (!statSync(place, { throwIfNoEntry: false })?.isDirectory()) return place;
  const newest = await latestCheckpoint(place, (message) => console.error(`warning: ${message}`));
  if (newest) return newest.path;
  throw new UserError(
    `${option}: ${place} is not the folder of a run with checkpoints. Give that folder, or a file in its \`checkpoints\`.`,
  );
}

/**
 * Reads a model of pre-training.
 *
 * @param knownRegion the regions that a published model has, where they are known
 * @throws UserError when the file cannot be read or is of something else; CheckpointCorruptError
 */
export async function readPretrained(path: string, knownRegion?: Extents): Promise<PretrainedFile> {
  if (/\.(pth|pt)$/i.test(path)) return readPublished(path, knownRegion);
  const checkpoint = await loadCheckpoint(path);
  return {
    config: checkpointConfig(path, checkpoint),
    weights: checkpointWeights(checkpoint),
    clips: trainedClips(path, checkpoint),
    untrained: untrainedPart(checkpoint),
  };
}

async function readPublished(path: string, knownRegion?: Extents): Promise<PretrainedFile> {
  const checkpoint = await readPytorchFile(path);
  const config = modelOf(path, checkpoint, knownRegion);
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

function modelOf(path: string, checkpoint: PytorchCheckpoint, knownRegion?: Extents): PretrainingConfig {
  try {
    return publishedPretraining(checkpoint, knownRegion);
  } catch (error) {
    if (!(error instanceof CheckpointFormatError)) throw error;
    throw new UserError(`${path} cannot be used: ${error.message}.`, { cause: error });
  }
}
