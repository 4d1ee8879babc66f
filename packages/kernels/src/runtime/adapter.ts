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
  return {
    vendor: info.vendor,
    architecture: info.architecture,
    device: info.device,
    description: info.description,
    isSoftware: isSoftwareAdapter(info),
    subgroupMinSize: info.subgroupMinSize ?? 0,
    subgroupMaxSize: info.subgroupMaxSize ?? 0,
    features,
  };
}
