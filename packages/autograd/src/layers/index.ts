export {
  INITIALISE_PURPOSE,
  byFanIn,
  ones,
  truncatedNormal,
  uniform,
  xavierUniform,
  zeros,
  type Initialiser,
} from './initialisers.js';
export {
  layer,
  pack,
  Pack,
  parameter,
  parameterShapes,
  tree,
  Weight,
  type Children,
  type Layer,
  type LayerTree,
} from './layer.js';
export {
  embedding,
  gelu,
  layerNorm,
  linear,
  mlp,
  recomputed,
  selfAttention,
  sequential,
  type LinearLayerOptions,
} from './standard.js';
