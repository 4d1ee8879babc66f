/** Options of the commands that apply a classifier to videos. */
import type { Option } from 'commander';
import { choiceOption, valued, whole } from '@tubelet/trainer';
import { CROP_MODES, type CropMode } from '@tubelet/video';

/** Which classifier, and how clips are cut out of videos for it. */
export interface ClassifierOptions {
  readonly checkpoint: string;
  /** By default what the classifier was trained with. */
  readonly crop?: CropMode;
  /** By default what the classifier was trained with. */
  readonly frameStep?: number;
  readonly batchSize: number;
  readonly workers?: number;
}

/** The options of {@link ClassifierOptions}, and those of `more`, for `addOptionGroups`. */
export function classifierOptions(...more: Option[]): Record<string, Option[]> {
  return {
    'Classifier:': [
      valued(
        '--checkpoint <place>',
        'a fine-tuned checkpoint, or the folder of a run for its newest; for its best: RUN/checkpoints/best.safetensors',
        String,
      ).makeOptionMandatory(),
    ],
    'Clips:': [
      ...more,
      valued(
        '--frame-step <n>',
        'distance between frames of a clip, in frames of the video (default: as in training)',
        whole('--frame-step'),
      ),
      valued(
        '--crop <mode>',
        'voxceleb: top centre of the frame; centre: its centred square; none: all of it (default: as in training)',
        choiceOption('--crop', CROP_MODES),
      ),
    ],
    'Speed:': [
      valued('--batch-size <n>', 'clips in one pass of the model', whole('--batch-size'), 8),
      valued(
        '--workers <n>',
        'decoding threads (default: one for each processor but one)',
        whole('--workers'),
      ),
    ],
  };
}
