/** What the demo's model learns from of each clip; its picture shows a part of the seconds before. */
export const TRAINING_SECONDS = { start: 5, end: 28 };
export const FRAME_STEP = 4;

/** A model that learns a face in a few hundred steps; the learning rate stands for 256 clips a step. */
export const demoSettings = {
  model: 'tiny',
  dim: 128,
  depth: 4,
  heads: 2,
  'decoder-dim': 128,
  'decoder-depth': 2,
  'decoder-heads': 2,
  'image-size': 96,
  frames: 8,
  'frame-step': FRAME_STEP,
  region: '2,3,6',
  'mask-ratio': 0.9,
  augmentation: 'none',
  'segment-seconds': 1.5,
  'start-seconds': TRAINING_SECONDS.start,
  'end-seconds': TRAINING_SECONDS.end,
  'batch-size': 4,
  epochs: 52,
  'warmup-epochs': 4,
  lr: 0.16,
};
