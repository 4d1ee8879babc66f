import { debugOption, option, optionSet, type ValuesOfSet } from '@tubelet/trainer';
import {
  classifierOption,
  foldOption,
  PARTS,
  speedOptions,
  videoClipOptions,
} from '../shared/classifier-options.js';
import { dataOptions } from '../shared/data-source.js';
import { LAYOUTS } from './embed-layout.js';

/** How features are laid out in a picture. */
export const layoutOptions = {
  layout: option.choice('<name>', 'layout of the picture: umap or tsne (default: umap)', LAYOUTS).optional(),
  neighbors: option
    .whole(
      '<n>',
      'for a UMAP: few show detail, many the whole (default: 15; of less than 31 videos, half of them)',
      { min: 2 },
    )
    .optional(),
  minDist: option.share('<d>', 'for a UMAP: how close points may come, 0 to 1 (default: 0.1)').optional(),
  perplexity: option
    .number('<n>', 'for a t-SNE: about how many neighbours count (default: 30, or a quarter of the videos)', {
      min: 1,
    })
    .optional(),
  seed: option.whole('<n>', 'seed of the picture (default: 0)', { min: 0 }).optional(),
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
