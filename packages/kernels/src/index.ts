export * from './runtime/index.js';
export * from './kernel-spec.js';
export * from './gelu/gelu.js';
export * from './philox/philox.js';
export * from './column-sum/column-sum.js';
export * from './matmul/matmul.js';
export * from './attention/attention.js';
export * from './attention/attention-backward.js';
