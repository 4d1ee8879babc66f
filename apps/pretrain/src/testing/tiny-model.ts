/** Options of a model and clips as small as they go: 2×2×2 cubes. */
export const TINY_MODEL = {
  'image-size': 32,
  frames: 4,
  'frame-step': 1,
  dim: 32,
  depth: 1,
  heads: 1,
  'decoder-dim': 32,
  'decoder-depth': 1,
  'decoder-heads': 1,
  region: '2,2,2',
  'mask-ratio': 0.5,
};
