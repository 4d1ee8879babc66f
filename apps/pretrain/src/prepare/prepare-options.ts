import {
  debugOption,
  faceCropOption,
  option,
  optionSet,
  workersOption,
  type ValuesOfSet,
} from '@tubelet/trainer';
import { CROP_NOTE, rootOption } from '../shared/sources.js';

/** The options of `prepare`; clips have the size and the crop that `pretrain` has by default. */
export const prepareOptions = optionSet({
  'Options:': {
    out: option.text('<dir>', 'folder for the shards, index.jsonl and rejects.tsv'),
    resume: option.flag('continue in --out where prepare was stopped or killed'),
    dryRun: option.flag('estimate time and disk from a sample, and write nothing'),
  },
  'Clips:': {
    ...rootOption,
    imageSize: option.whole('<n>', 'edge of the frames, in pixels, even', { min: 2 }).default(160),
    crop: faceCropOption(
      'the aligned face of whoever is seen largest and longest, as `data faces` cuts it',
      CROP_NOTE,
    ).default('centre'),
    keyFrameInterval: option
      .whole('<n>', 'frames from one key frame to the next: fewer are decoded sooner, and take more room')
      .default(4),
  },
  'Running:': {
    shardSize: option.bytes('<size>', 'size of a shard').default(2 ** 30),
    ...workersOption,
    ...debugOption,
  },
});

/** Options of `prepare`, checked one by one. */
export type PrepareOptions = Readonly<Omit<ValuesOfSet<typeof prepareOptions>, 'debug'>>;
