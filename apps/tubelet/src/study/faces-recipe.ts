// A model small enough for a machine without a GPU, and how it learns the drawn faces. A clip is all 8 frames of a
// video. Learning rates stand for 256 clips a step.

const encoder = {
  model: 'tiny',
  dim: 64,
  depth: 3,
  heads: 2,
  region: '2,2,4',
  'image-size': 64,
  frames: 8,
  'frame-step': 1,
};

/** Videos as the model sees them, options of `faces`. */
const drawing = {
  'clips-per-class': 1,
  frames: encoder.frames,
  'frames-per-second': 4,
  size: encoder['image-size'],
};

/**
 * Faces with labels. People differ in their faces and in what they do, and in nothing else, and show it for most of
 * the video: few steps would not tell a short smile from a turning head or another light.
 */
export const labelledFaces = { ...drawing, variety: 0, hold: 0.7 };

/**
 * Faces to pre-train on: other people than the labelled ones, and of greater variety. From faces that differ in little
 * but the expression the encoder learns to fill in the average face, and fine-tuning finds nothing in it.
 */
export const unlabelledFaces = { ...drawing, seed: 1, variety: 1, folds: 2 };

/** Options of `tubelet pretrain`. */
export const pretraining = {
  ...encoder,
  'decoder-dim': 48,
  'decoder-depth': 1,
  'decoder-heads': 3,
  'mask-ratio': 0.75,
  crop: 'none',
  augmentation: 'none',
  'batch-size': 8,
  'warmup-epochs': 1,
  lr: 0.032,
};

/**
 * Options of `tubelet finetune`. The published augmentation, smoothing and layer decay are for real faces and a hundred
 * epochs. A few epochs of drawn faces learn more from clips that are only mirrored; while they were also cropped, the
 * loss stayed where it began for a thousand steps. So it did at two and a half times the learning rate, until the
 * schedule had brought that down; from random weights it stayed there at either. Larger or smaller steps need as many
 * clips.
 */
export const finetuning = {
  ...encoder,
  'rand-augment-operations': 0,
  'crop-area-min': 1,
  erasing: 0,
  mixup: 0,
  cutmix: 0,
  'label-smoothing': 0,
  'drop-path': 0,
  'layer-decay': 1,
  'batch-size': 8,
  'warmup-epochs': 1,
  lr: 0.012,
};
