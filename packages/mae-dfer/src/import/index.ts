export { encoderOfShapes, depthOfShapes, type StatedEncoder } from './encoder-of-shapes.js';
export { CheckpointFormatError, HostilePickleError } from './errors.js';
export * from './finetune-state-dict.js';
export { requireHarmless } from './hostile-pickle.js';
export * from './pytorch-checkpoint.js';
