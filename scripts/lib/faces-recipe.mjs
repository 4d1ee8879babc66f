// A model small enough for a machine without a GPU, and how it learns the drawn faces. Clips of 8 frames, every
// fourth, span the 32 frames of a video. Learning rates stand for 256 clips a step.

const encoder = {
  model: 'tiny',
  dim: 128,
  depth: 4,
  heads: 2,
  region: '2,2,4',
  'image-size': 64,
  frames: 8,
  'frame-step': 4,
};

/** Options of `pretrain train`. */
export const pretraining = {
  ...encoder,
  'decoder-dim': 64,
  'decoder-depth': 2,
  'decoder-heads': 2,
  'mask-ratio': 0.75,
  crop: 'none',
  augmentation: 'none',
  'batch-size': 16,
  'warmup-epochs': 1,
  lr: 0.032,
};

/**
 * Options of `finetune train`. The published augmentation is for real faces and a hundred epochs; a few epochs of
 * drawn ones learn more from clips that are cropped a little and mirrored.
 */
export const finetuning = {
  ...encoder,
  'rand-augment-operations': 0,
  'crop-area-min': 0.6,
  erasing: 0,
  mixup: 0,
  cutmix: 0,
  'drop-path': 0,
  'layer-decay': 0.9,
  'batch-size': 16,
  'warmup-epochs': 1,
  lr: 0.032,
};
