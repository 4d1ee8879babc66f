import { debugOption, option, optionSet, type ValuesOfSet } from '@tubelet/trainer';
import {
  classifierOption,
  clipOptions,
  foldOption,
  PARTS,
  speedOptions,
} from '../shared/classifier-options.js';
import { dataOptions } from '../shared/data-source.js';

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
