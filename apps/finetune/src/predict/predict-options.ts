import { debugOption, option, optionSet, type ValuesOfSet } from '@tubelet/trainer';
import { classifierOption, speedOptions, videoClipOptions } from '../shared/classifier-options.js';
import { PREDICTION_FORMATS } from './predict-format.js';

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
    hop: option
      .positive('<seconds>', 'seconds from one window to the next (default: half a window)')
      .optional(),
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
    top: option
      .whole('<n>', 'how many classes the format text names (default: all of a single video, else 3)')
      .optional(),
    ...debugOption,
  },
});
export type PredictOptions = Readonly<Omit<ValuesOfSet<typeof predictOptions>, 'debug'>>;
