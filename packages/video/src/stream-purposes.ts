import { streamPurpose } from '@tubelet/kernels';

/** What random numbers are drawn for here; `sample` is the index of the sample unless it says otherwise. */
export const Purpose = {
  /** First frame of a sampled clip. */
  clipStart: streamPurpose(3),
  /** Crop of a clip. */
  crop: streamPurpose(4),
  /** Order of the samples in an epoch. */
  shuffle: streamPurpose(5),
  /** Order of shards, and of the samples that are read from them. */
  shardShuffle: streamPurpose(15),
  /** Image augmentation. */
  augment: streamPurpose(7),
  /** Which sample stands in for one that cannot be read. */
  replacement: streamPurpose(8),
  /** Mixup and CutMix of a batch; `sample` is the number of the batch. */
  mixup: streamPurpose(9),
  /** Random erasing. */
  erase: streamPurpose(10),
  /** Which videos are held out of training for validation; `sample` is the label where it goes by class. */
  holdOut: streamPurpose(12),
} as const;
