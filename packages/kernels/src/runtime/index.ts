export * from './errors.js';
export * from './gpu-array.js';
export * from './ledger.js';
export * from './open.js';
export { formatProfile, type ProfileEntry } from './profiler.js';
export type { Access, Program, ProgramSource } from './program.js';
export * from './runtime.js';
export * from './variants.js';
export * from './wgsl.js';
