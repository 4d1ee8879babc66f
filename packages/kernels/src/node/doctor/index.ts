export { cacheDirectory } from '../cache';
export { recordedDrivers, vulkanChoice } from '../driver';
export { describeGpu } from './gpu';
export { diagnoseMpi, koffiMpiVersionReader } from './mpi';
export { formatFindings } from './report';
export { missing, ok, thisSystem, type Finding, type System } from './system';
export { collectVulkanFacts, diagnoseVulkan, type VulkanFacts } from './vulkan';
