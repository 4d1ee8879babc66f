import { cropOption, debugOption, gpuOption, option, optionSet, type ValuesOfSet } from '@tubelet/trainer';

/** The options of `reconstruct`; by default the picture has the mask ratios of the paper's Figure 4. */
export const reconstructOptions = optionSet({
  'Options:': {
    checkpoint: option.text(
      '<place>',
      'a checkpoint of `pretrain`, the folder of a run for its newest, or a published .pth of pre-training',
    ),
    region: option
      .wholes('<t,h,w>', 'tokens of a local region, where a published .pth does not tell it', 3)
      .optional(),
    out: option.text('<picture>', 'the PNG file to write'),
    startSeconds: option.notNegative('<s>', 'where in each video the clip begins').default(0),
    frameStep: option
      .whole('<n>', 'distance between frames of the clip (default: as in training)')
      .optional(),
    crop: cropOption(' (default: as in training)').optional(),
    maskRatios: option
      .shares('<shares>', 'shares of masked positions, one picture part for each')
      .default([0.75, 0.9]),
    maskType: option
      .choice(
        '<kind>',
        'window: as many positions of each region; tube: positions of the whole frame, as in the paper’s figures' +
          ' (default: as in training, which is window for LGI-Former and tube for a ViT)',
        ['window', 'tube'],
      )
      .optional(),
    seed: option.whole('<n>', 'seed of the masks', { min: 0 }).default(0),
    predictionRow: option.flagOn('leave out the row of what the model predicts, differences on grey'),
    captions: option.flagOn('leave out the words beside rows and above videos'),
    ...gpuOption,
    ...debugOption,
  },
});

/** Options of `reconstruct`, checked one by one. */
export type ReconstructOptions = Readonly<Omit<ValuesOfSet<typeof reconstructOptions>, 'debug'>>;
