import type { MatrixUnitConfig, Runtime } from '../runtime/runtime.js';

/** What kernels on matrix units must know of a device. */
export interface MatrixDevice {
  readonly configs: readonly MatrixUnitConfig[];
  readonly subgroupMaxSize: number;
  readonly maxWorkgroupInvocations: number;
  readonly maxWorkgroupBytes: number;
}

/** The device of a runtime, as kernels on matrix units see it. */
export function matrixDevice({ adapter, device: { limits } }: Runtime): MatrixDevice {
  return {
    configs: adapter.matrixUnits ?? [],
    subgroupMaxSize: adapter.subgroupMaxSize,
    maxWorkgroupInvocations: Math.min(
      limits.maxComputeInvocationsPerWorkgroup,
      limits.maxComputeWorkgroupSizeX,
    ),
    maxWorkgroupBytes: limits.maxComputeWorkgroupStorageSize,
  };
}

/**
 * The units to use: f16 operands and f32 sums, the largest product at once, the first of equals. Undefined where there
 * are none; extents that are not powers of two from four on, which no known adapter has, do not count.
 */
export function matrixUnit(configs: readonly MatrixUnitConfig[]): MatrixUnitConfig | undefined {
  let best: MatrixUnitConfig | undefined;
  for (const config of configs) {
    const { componentType, resultComponentType, m, n, k } = config;
    if (componentType !== 'f16' || resultComponentType !== 'f32') continue;
    if (![m, n, k].every((extent) => extent >= 4 && Number.isInteger(Math.log2(extent)))) continue;
    if (!best || m * n * k > best.m * best.n * best.k) best = config;
  }
  return best;
}
