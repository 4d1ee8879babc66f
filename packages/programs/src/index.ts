/** What the programs share. */
export * from './bad-files.js';
export * from './compile-ahead.js';
export * from './divergence.js';
export * from './dry-step.js';
export * from './epoch-reader.js';
export * from './memory-options.js';
export * from './memory-report.js';
export * from './model-options.js';
export * from './option-groups.js';
export * from './precision.js';
export * from './program.js';
export * from './run-description.js';
export * from './settings.js';
export * from './training-tensors.js';
export * from './tuning.js';
export * from './weight-update.js';
