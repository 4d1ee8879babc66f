export type { ActivationObserver, PassOptions } from './blocks.js';
export {
  Classifier,
  classifierShapes,
  regionMajorOrder,
  type ClassifierConfig,
  type ClassifierOptions,
  type ClassifierOutput,
  type LayerDecayOptions,
} from './classifier.js';
export type { ClipBatch } from './clip-batch.js';
export {
  ConfigError,
  cubeSize,
  decoderFromJson,
  encoderFromJson,
  LAYER_NORM_EPSILON,
  lgiFormer,
  MLP_RATIO,
  paperClip,
  paperDecoder,
  regionCount,
  regionOf,
  tokenCount,
  tokenGrid,
  validateDecoder,
  validateEncoder,
  vitBase,
  type ClipConfig,
  type DecoderConfig,
  type EncoderConfig,
  type Extents,
  type LgiFormerConfig,
  type LgiFormerSize,
  type TransformerConfig,
  type VitConfig,
} from './config.js';
export { DropPath } from './drop-path.js';
export type { DropPathDraws } from './encoder.js';
export { depthOfShapes, encoderOfShapes, type StatedEncoder } from './import/encoder-of-shapes.js';
export {
  finetuneStateDict,
  type FinetuneStateDict,
  type FinetuneStateDictOptions,
} from './import/finetune-state-dict.js';
export { publishedPretraining } from './import/published-pretraining.js';
export { lgiBlock, type LgiBlockConfig, type LgiBlockOptions, type LgiDropPath } from './lgi-block.js';
export {
  drawMask,
  maskDesign,
  maskKeyInputs,
  uploadMask,
  type MaskKey,
  type MaskKeyOnDevice,
  type MaskOnDevice,
  type UnevenRegions,
} from './mask.js';
export { sinusoidTable } from './positions.js';
export { predictClip, type ClipError, type MaskSettings } from './predict-clip.js';
export {
  PretrainingModel,
  pretrainingShapes,
  type PretrainingConfig,
  type PretrainingOutput,
} from './pretraining-model.js';
export {
  maskFrames,
  reconstructFrames,
  type PredictedCubes,
  type ReconstructedFrames,
} from './reconstruct-frames.js';
export { targetOptions, type TargetKind } from './targets.js';
export { drawTubeMask, uploadUnevenMask } from './uneven-mask.js';
export { vitBlock, type VitDropPath } from './vit-block.js';
