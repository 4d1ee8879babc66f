import { namedDriver, type GpuReport } from '@tubelet/kernels/node';
import { missing, ok, type Finding } from './system.js';

const topic = 'GPU';

/** Features that faster kernels use, with what lacks without them. */
const usefulFeatures: Record<string, string> = {
  subgroups: 'reductions across a subgroup',
  'shader-f16': 'half-precision storage and arithmetic',
  'timestamp-query': 'per-kernel times (--profile)',
  'chromium-experimental-subgroup-matrix': "the GPU's matrix units",
};

const shownLimits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupsPerDimension',
];

function limitText(name: string, value: number): string {
  const inBytes = name.endsWith('Size');
  if (!inBytes) return `${name} ${value}`;
  return value >= 2 ** 20 ? `${name} ${Math.floor(value / 2 ** 20)} MiB` : `${name} ${value / 1024} KiB`;
}

const unitText = ({ m, n, k, componentType, resultComponentType }: GpuReport['matrixUnits'][number]) =>
  `${m}×${n}×${k} of ${componentType} with sums in ${resultComponentType}`;

/** What the opened adapter is and can do, or why there is none. */
export function describeGpu(
  report: GpuReport | undefined,
  reasons: readonly string[],
  choice: string,
  named = namedDriver(),
): Finding[] {
  const chosen = `driver choice: ${choice} (set by TUBELET_VULKAN: auto, system, llvmpipe or swiftshader)`;
  if (!report) {
    return [
      missing(topic, `WebGPU finds no adapter. ${reasons.join('; ')}`, [
        ...(named === undefined
          ? []
          : ['unset VK_DRIVER_FILES VK_ICD_FILENAMES      they name the driver, and no other is used']),
        'npx tubelet setup      unpacks a software driver into the cache folder',
      ]),
      ok(topic, chosen),
    ];
  }
  const lacking = Object.entries(usefulFeatures).filter(([name]) => !report.features.includes(name));
  const origin = report.driver === 'system' ? "the system's driver" : `${report.driver}, unpacked by set-up`;
  return [
    ok(
      topic,
      `adapter: ${report.description || report.device || 'unnamed'} (${report.vendor}, ${report.architecture || 'no architecture given'})`,
    ),
    ok(
      topic,
      `driver: ${origin}${report.software ? '; it computes on the CPU' : ''}; a test kernel computed right`,
    ),
    ok(topic, chosen),
    ok(topic, `subgroup size: ${report.subgroupMinSize} to ${report.subgroupMaxSize}`),
    ok(topic, `features: ${report.features.join(', ')}`),
    ...(report.matrixUnits.length > 0
      ? [ok(topic, `matrix units: ${report.matrixUnits.map(unitText).join(', ')}`)]
      : []),
    ...(lacking.length > 0
      ? [ok(topic, `without: ${lacking.map(([name, use]) => `${name} (${use})`).join(', ')}`)]
      : []),
    ok(topic, `limits: ${shownLimits.map((name) => limitText(name, report.limits[name] ?? 0)).join(', ')}`),
  ];
}
