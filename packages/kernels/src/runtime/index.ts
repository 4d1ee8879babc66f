export { isSoftwareAdapter } from './adapter.js';
export { Arena } from './buffer-pool.js';
export * from './errors.js';
export { shown } from './shown.js';
export * from './gpu-array.js';
export * from './ledger.js';
export * from './open.js';
export {
  likeRuntime,
  paperAdapter,
  paperDevice,
  PaperReadError,
  paperRuntime,
  type PaperOptions,
} from './paper-device.js';
export { formatProfile, type KernelObserver, type KernelSpan, type ProfileEntry } from './profiler.js';
export type { Access, KernelCall, Program, ProgramSource } from './program.js';
export type { Readback } from './readback.js';
export type { Recording } from './recording.js';
export * from './runtime.js';
export * from './shape-class.js';
export * from './variants.js';
export * from './wgsl.js';
