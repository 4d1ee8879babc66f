export { Engine, type StepOptions } from './engine/engine.js';
export {
  gradcheck,
  MissingGradientError,
  relativeError,
  type GradcheckInput,
  type GradcheckOptions,
  type GradcheckResult,
} from './engine/gradcheck.js';
export { open, type OpenOptions } from './engine/open.js';
export { Parameter } from './engine/parameter.js';
export type { StepInput, StepInputs, StepTensors } from './engine/recorded-step.js';
export {
  Tensor,
  type BackwardOptions,
  type GradientFlow,
  type GradientObserver,
  type GradientTarget,
  type LeafGradients,
  type LossScaling,
  type Node,
  type StageOptions,
  type Tape,
  type TrainedStore,
} from './engine/tensor.js';
export { erf, relu, sigmoid, silu, softplus, tanh } from './ops/activations.js';
export { addRows, broadcastRows, type TableRows } from './ops/add-rows.js';
export {
  abs,
  add,
  clamp,
  div,
  exp,
  log,
  maximum,
  minimum,
  mul,
  neg,
  pow,
  sqrt,
  sub,
} from './ops/arithmetic.js';
export { attention, type AttentionOperands } from './ops/attention.js';
export {
  binaryCrossEntropy,
  crossEntropy,
  type CrossEntropyOptions,
  type LossReduction,
} from './ops/classification.js';
export { equal, greater, greaterOrEqual, less, lessOrEqual, where } from './ops/comparisons.js';
export {
  averagePool,
  convolution,
  maxPool,
  type ConvolutionOptions,
  type PoolingOptions,
  type WindowOptions,
} from './ops/convolution.js';
export { dropout, type DropoutOptions } from './ops/dropout.js';
export { embedding, gather, oneHot, takeAlong, type LookUpOptions } from './ops/gather.js';
export { gelu } from './ops/gelu.js';
export { layerNorm, layerNorms, type LayerNormOperands } from './ops/layer-norm.js';
export { concat, expand, pad, patches, permute, slice, transpose, type PatchOptions } from './ops/layout.js';
export { linear, type LinearOptions, type RowScaling } from './ops/linear.js';
export { meanSquareError, softCrossEntropy, twoPartSquareError, type WeightedLoss } from './ops/losses.js';
export { matmul } from './ops/matmul.js';
export { meanRows } from './ops/mean-rows.js';
export { mlp, type MlpOperands } from './ops/mlp.js';
export { pointwise, type Operand, type Pointwise } from './ops/pointwise.js';
export { argmax, max, mean, min, sum, type ReductionOptions } from './ops/reductions.js';
export { rmsNorm } from './ops/rms-norm.js';
export { scaleRows } from './ops/row-scale.js';
export {
  scaledDotProductAttention,
  type ScaledDotProductOptions,
} from './ops/scaled-dot-product-attention.js';
export { logSoftmax, softmax } from './ops/softmax.js';
export { copyInto, join, reshape, split } from './ops/views.js';
export {
  ParameterStore,
  type PackGap,
  type PackSpec,
  type ParameterBank,
  type ParameterSpec,
  type ParameterStoreOptions,
} from './parameters/parameter-store.js';
export {
  loadStateDict,
  readStateDict,
  StateDictMismatchError,
  type LoadReport,
} from './parameters/state-dict.js';
export { AdamW, type AdamWOptions, type Moments, type UpdateOptions } from './training/adamw.js';
export { ExponentialMovingAverage, type ExponentialMovingAverageOptions } from './training/ema.js';
export { GradientReduction, type ReductionTimes, type SumOverRanks } from './training/gradient-reduction.js';
export {
  LossScale,
  type LossScaleOptions,
  type LossScaleOutcome,
  type LossScaleState,
} from './training/loss-scale.js';
export type { ParameterGroup } from './training/parameter-group.js';
export {
  cosineSchedule,
  scaleLearningRate,
  type CosineScheduleSettings,
  type Schedule,
} from './training/schedule.js';
export { SGD, type SGDOptions } from './training/sgd.js';
