/** Options that the commands share which apply a classifier to videos. */
import {
  cropOption,
  faceCropOption,
  gpuOption,
  option,
  workersOption,
  type ValuesOf,
} from '@tubelet/trainer';

export const PARTS = ['test', 'train', 'all'] as const;
export type Part = (typeof PARTS)[number];

export const classifierOption = {
  checkpoint: option.text(
    '<place>',
    'a fine-tuned checkpoint, or the folder of a run for its newest; for its best: RUN/checkpoints/best.safetensors; with --fold all a folder of these',
  ),
};

const frameStepOption = {
  frameStep: option
    .whole('<n>', 'distance between frames of a clip, in frames of the video (default: as in training)')
    .optional(),
};

export const clipOptions = {
  ...frameStepOption,
  crop: cropOption(' (default: as in training)').optional(),
};

/** Of videos that are not crops yet. */
export const videoClipOptions = {
  ...frameStepOption,
  crop: faceCropOption(
    'the aligned face of each person, several people as several answers',
    ' (default: as in training)',
  ).optional(),
};

export const speedOptions = {
  batchSize: option.whole('<n>', 'clips in one pass of the model').default(8),
  ...workersOption,
  ...gpuOption,
};

/** Which classifier, and how clips are cut out of videos for it. */
export type ClassifierOptions = Readonly<
  ValuesOf<typeof classifierOption & typeof clipOptions & typeof speedOptions>
>;

export const foldOption = {
  fold: option
    .wholeOrAll(
      '<n>',
      'default: the one that the classifier was trained for, else 1; all: every fold with its own classifier, from a folder of them',
    )
    .optional(),
};
