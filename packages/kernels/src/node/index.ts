export { isSoftwareAdapter } from '../runtime/adapter.js';
export { cacheDirectory } from './cache.js';
export {
  driverManifestName,
  namedDriver,
  recordedDrivers,
  useSoftwareDriver,
  vulkanChoice,
  type SoftwareDriver,
  type VulkanChoice,
} from './driver.js';
export { DriverChoiceError, DriverLoadError, NoAdapterError } from './errors.js';
export { GpuChoiceError, type GpuWanted } from './gpu-choice.js';
export { installedIcds, type InstalledIcds } from './icd.js';
export { listVulkanDevices, type VulkanDevice } from './vulkan-devices.js';
export { closeGpu, gpuDriver, openGpu, requestNodeAdapter, type OpenGpuOptions } from './gpu.js';
export { throttlePolling } from './throttle.js';
export { probeGpu, WrongResultError, type GpuReport } from './probe.js';
export { closeNodeRuntime, gpuBindingsVersion, openNodeRuntime } from './open-runtime.js';
export { nodeCompiler, readTuningTable, tuningFile, writeTuningTable } from './tuning-file.js';
export { makeStaging } from './staging.js';
export { whileFilling } from './while-filling.js';
