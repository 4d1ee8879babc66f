export { CheckpointFormatError } from './errors.js';
export * from './finetune-state-dict.js';
export * from './pytorch-checkpoint.js';
