export { isSoftwareAdapter } from '../runtime/adapter.js';
export { cacheDirectory } from './cache';
export {
  driverManifestName,
  namedDriver,
  recordedDrivers,
  useSoftwareDriver,
  vulkanChoice,
  type SoftwareDriver,
  type VulkanChoice,
} from './driver';
export { DriverChoiceError, DriverLoadError, NoAdapterError } from './errors';
export { GpuChoiceError, type GpuWanted } from './gpu-choice';
export { installedIcds, type InstalledIcds } from './icd';
export { listVulkanDevices, type VulkanDevice } from './vulkan-devices';
export { closeGpu, gpuDriver, openGpu, requestNodeAdapter, type OpenGpuOptions } from './gpu';
export { throttlePolling } from './throttle';
export { probeGpu, WrongResultError, type GpuReport } from './probe';
export { closeNodeRuntime, gpuBindingsVersion, openNodeRuntime } from './open-runtime';
export { nodeCompiler, readTuningTable, tuningFile, writeTuningTable } from './tuning-file';
export { makeStaging } from './staging';
export { whileFilling } from './while-filling';
