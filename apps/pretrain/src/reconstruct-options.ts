import { cropOption, debugOption, option, optionSet, type ValuesOfSet } from '@tubelet/trainer';

/** The options of `reconstruct`; by default the picture has the mask ratios of the paper's Figure 4. */
export const reconstructOptions = optionSet({
  'Options:': {
    checkpoint: option.text('<file>', 'a checkpoint that `train` wrote'),
    out: option.text('<picture>', 'the PNG file to write'),
    startSeconds: option.notNegative('<s>', 'where in the video the clip begins').default(0),
    frameStep: option.whole('<n>', 'distance between frames of the clip').default(4),
    crop: cropOption().default('centre'),
    maskRatios: option
      .shares('<shares>', 'shares of masked positions, one picture part for each')
      .default([0.75, 0.9]),
    seed: option.whole('<n>', 'of the masks', { min: 0 }).default(0),
    ...debugOption,
  },
});

/** Options of `reconstruct`, checked one by one. */
export type ReconstructOptions = Readonly<Omit<ValuesOfSet<typeof reconstructOptions>, 'debug'>>;
