/** A product that matrix units do at once, [m, k] · [k, n]: an entry of WebGPU's `subgroupMatrixConfigs`. */
export interface MatrixUnitConfig {
  /** Of the operands, such as `f16`. */
  readonly componentType: string;
  /** Of the sums. */
  readonly resultComponentType: string;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** What the adapter is and can do. */
export interface AdapterSummary {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** A Vulkan implementation on the CPU; the choice of kernel variants depends on it. */
  readonly isSoftware: boolean;
  readonly subgroupMinSize: number;
  readonly subgroupMaxSize: number;
  readonly features: readonly string[];
  /** Absent where there are none, or devices may not use them. */
  readonly matrixUnits?: readonly MatrixUnitConfig[];
}

// What kernels that name the invocations of a subgroup are written for.
const NAMED_SUBGROUP_SIZES = [4, 8, 16, 32];

/** Of all subgroups that there can be, where they have one size, and one that kernels are written for. */
export function knownSubgroupSize({
  subgroupMinSize,
  subgroupMaxSize,
}: Pick<AdapterSummary, 'subgroupMinSize' | 'subgroupMaxSize'>): number | undefined {
  const isKnown = subgroupMinSize === subgroupMaxSize && NAMED_SUBGROUP_SIZES.includes(subgroupMinSize);
  return isKnown ? subgroupMinSize : undefined;
}

/** Whether an adapter computes on the CPU (llvmpipe, SwiftShader, WARP). */
export function isSoftwareAdapter(
  info: Pick<GPUAdapterInfo, 'architecture' | 'device' | 'description'> & {
    readonly isFallbackAdapter?: boolean;
  },
): boolean {
  const text = `${info.architecture} ${info.device} ${info.description}`;
  return info.isFallbackAdapter === true || /llvmpipe|lavapipe|swiftshader|basic render/i.test(text);
}

export function summarizeAdapter(adapter: GPUAdapter, features: readonly string[]): AdapterSummary {
  const { info } = adapter;
  const matrixUnits = features.includes(MATRIX_UNITS_FEATURE) ? matrixUnitsOf(info) : [];
  return {
    vendor: info.vendor,
    architecture: info.architecture,
    device: info.device,
    description: info.description,
    isSoftware: isSoftwareAdapter(info),
    subgroupMinSize: info.subgroupMinSize ?? 0,
    subgroupMaxSize: info.subgroupMaxSize ?? 0,
    features,
    ...(matrixUnits.length > 0 ? { matrixUnits } : {}),
  };
}

/** Dawn's name for operations on matrix units. */
export const MATRIX_UNITS_FEATURE = 'chromium-experimental-subgroup-matrix';

// An experiment that the types of WebGPU do not know yet; its objects hold their values in getters.
interface MatrixInfo extends GPUAdapterInfo {
  readonly subgroupMatrixConfigs?: Iterable<{
    readonly componentType: string;
    readonly resultComponentType: string;
    readonly M: number;
    readonly N: number;
    readonly K: number;
  }>;
}

/** What WebGPU says of an adapter's matrix units; nothing where it does not show them. */
export function matrixUnitsOf(info: MatrixInfo): MatrixUnitConfig[] {
  return Array.from(info.subgroupMatrixConfigs ?? [], ({ componentType, resultComponentType, M, N, K }) => ({
    componentType,
    resultComponentType,
    m: M,
    n: N,
    k: K,
  }));
}

/** Whether this is Dawn's null backend, which accepts every command and computes nothing. */
export function isNullAdapter({ device }: Pick<GPUAdapterInfo, 'device'>): boolean {
  return device === 'null-backend';
}
