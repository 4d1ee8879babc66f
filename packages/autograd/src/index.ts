export * from './adamw.js';
export * from './ema.js';
export * from './engine.js';
export * from './gradcheck.js';
export * from './gradient-reduction.js';
export * from './gradients.js';
export * from './loss-scale.js';
export { open, type OpenOptions } from './open.js';
export * from './ops/add-rows.js';
export { erf, relu, sigmoid, silu, softplus, tanh } from './ops/activations.js';
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
export * from './ops/attention.js';
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
export { embedding, gather, oneHot, takeAlong } from './ops/gather.js';
export * from './ops/gelu.js';
export * from './ops/layer-norm.js';
export { concat, expand, pad, patches, permute, slice, transpose, type PatchOptions } from './ops/layout.js';
export * from './ops/linear.js';
export * from './ops/losses.js';
export { matmul } from './ops/matmul.js';
export * from './ops/mean-rows.js';
export * from './ops/mlp.js';
export { pointwise, type Operand, type Pointwise } from './ops/pointwise.js';
export { argmax, max, mean, min, sum, type ReductionOptions } from './ops/reductions.js';
export { rmsNorm } from './ops/rms-norm.js';
export * from './ops/row-scale.js';
export {
  scaledDotProductAttention,
  type ScaledDotProductOptions,
} from './ops/scaled-dot-product-attention.js';
export { logSoftmax, softmax } from './ops/softmax.js';
export * from './ops/views.js';
export type { ParameterGroup } from './parameter-group.js';
export * from './parameters.js';
export * from './recorded-step.js';
export * from './safetensors.js';
export * from './schedule.js';
export { SGD, type SGDOptions } from './sgd.js';
export * from './state-dict.js';
export * from './tensor.js';
