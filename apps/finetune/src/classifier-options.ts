/** Options of the commands that apply a classifier to videos. */
import {
  cropOption,
  debugOption,
  faceCropOption,
  option,
  optionSet,
  type ValuesOf,
  type ValuesOfSet,
} from '@tubelet/trainer';
import { dataOptions } from './data-source.js';
import { LAYOUTS } from './embed-layout.js';
import { PREDICTION_FORMATS } from './predict-format.js';

export const PARTS = ['test', 'train', 'all'] as const;
export type Part = (typeof PARTS)[number];

const classifierOption = {
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

const clipOptions = {
  ...frameStepOption,
  crop: cropOption(' (default: as in training)').optional(),
};

/** Of videos that are no crops yet. */
const videoClipOptions = {
  ...frameStepOption,
  crop: faceCropOption(
    'the aligned face of each person, several people as several answers',
    ' (default: as in training)',
  ).optional(),
};

const speedOptions = {
  batchSize: option.whole('<n>', 'clips in one pass of the model').default(8),
  workers: option.whole('<n>', 'decoding threads (default: one for each processor but one)').optional(),
};

/** Which classifier, and how clips are cut out of videos for it. */
export type ClassifierOptions = Readonly<
  ValuesOf<typeof classifierOption & typeof clipOptions & typeof speedOptions>
>;

const foldOption = {
  fold: option
    .wholeOrAll(
      '<n>',
      'default: the one that the classifier was trained for, else 1; all: every fold with its own classifier, from a folder of them',
    )
    .optional(),
};

/** Options of `evaluate`; defaults are those of the published protocol. */
export const evaluateOptions = optionSet({
  'Data set:': {
    ...dataOptions,
    ...foldOption,
    part: option.choice('<part>', `which videos of the fold: ${PARTS.join(', ')}`, PARTS).default('test'),
  },
  'Classifier:': classifierOption,
  'Clips:': {
    clips: option.whole('<n>', 'clips of a video, spread evenly over it').default(2),
    ...clipOptions,
  },
  'Speed:': speedOptions,
  'Output:': {
    out: option
      .text('<dir>', 'folder for report.html, evaluation.json, predictions.csv and figures')
      .optional(),
    ...debugOption,
  },
});
export type EvaluateCommandOptions = Readonly<Omit<ValuesOfSet<typeof evaluateOptions>, 'debug'>>;

/** Options of `predict`. */
export const predictOptions = optionSet({
  'Classifier:': classifierOption,
  'Clips:': {
    clips: option
      .whole(
        '<n>',
        'clips of a video or window (default: 2, of windows without room for two side by side: 1)',
      )
      .optional(),
    ...videoClipOptions,
  },
  'Speed:': speedOptions,
  'Windows:': {
    window: option.positive('<seconds>', 'score windows of this length along each video').optional(),
    hop: option.positive('<seconds>', 'from one window to the next (default: half a window)').optional(),
    plot: option.text('<file>', 'draw the probabilities over time: .svg or .png; for one video').optional(),
  },
  'Output:': {
    format: option
      .choice(
        '<name>',
        `one of ${PREDICTION_FORMATS.join(', ')} (default: by the name of --out, else text)`,
        PREDICTION_FORMATS,
      )
      .optional(),
    out: option.text('<file>', 'write to a file rather than the terminal').optional(),
    facesOut: option
      .text('<file.mp4>', 'with --crop face: the video with frames around its faces and answers above them')
      .optional(),
    top: option.whole('<n>', 'text: classes named (default: all of a single video, else 3)').optional(),
    ...debugOption,
  },
});
export type PredictOptions = Readonly<Omit<ValuesOfSet<typeof predictOptions>, 'debug'>>;

/** How features are laid out in a picture. */
export const layoutOptions = {
  layout: option.choice('<name>', 'of the picture: umap or tsne (default: umap)', LAYOUTS).optional(),
  neighbors: option
    .whole(
      '<n>',
      'of a UMAP: few show detail, many the whole (default: 15; of less than 31 videos, half of them)',
      { min: 2 },
    )
    .optional(),
  minDist: option.share('<d>', 'of a UMAP: how close points may come, 0 to 1 (default: 0.1)').optional(),
  perplexity: option
    .number('<n>', 'of a t-SNE: about how many neighbours count (default: 30, or a quarter of the videos)', {
      min: 1,
    })
    .optional(),
  seed: option.whole('<n>', 'of the picture (default: 0)', { min: 0 }).optional(),
};

/** Options of `embed`. */
export const embedOptions = optionSet({
  'Data set, in place of sources:': {
    data: dataOptions.data.optional(),
    root: dataOptions.root.optional(),
    classesFile: dataOptions.classesFile,
    ...foldOption,
    part: option.choice('<part>', `one of ${PARTS.join(', ')} (default: test)`, PARTS).optional(),
  },
  'Classifier:': classifierOption,
  'Clips:': { clips: option.whole('<n>', 'clips of a video').default(2), ...videoClipOptions },
  'Speed:': speedOptions,
  'Output:': {
    out: option.text('<file>', 'where to write: .safetensors, .csv or .jsonl'),
    picture: option.text('<file>', 'draw the features in the plane: .svg or .png').optional(),
    ...layoutOptions,
    ...debugOption,
  },
});
export type EmbedOptions = Readonly<Omit<ValuesOfSet<typeof embedOptions>, 'debug'>>;
