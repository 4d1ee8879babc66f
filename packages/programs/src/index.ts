/** What the programs share. */
export * from './bad-files.js';
export * from './divergence.js';
export * from './epoch-reader.js';
export * from './model-options.js';
export * from './option-groups.js';
export * from './program.js';
export * from './run-description.js';
export * from './settings.js';
export * from './training-tensors.js';
