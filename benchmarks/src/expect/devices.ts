import type { AdapterSummary } from '@tubelet/kernels';

/** What the makers publish of a GPU, and what stands between that and a step. */
export interface DeviceCeilings {
  readonly name: string;
  /** Found in what an adapter says of itself. */
  readonly matches: RegExp;
  readonly f32FlopsPerSecond: number;
  /** f16 inputs, sums in f32, no sparsity; undefined where products of f16 are no faster than those of f32. */
  readonly matrixFlopsPerSecond?: number;
  readonly bytesPerSecond: number;
  /** Units that take one workgroup each at least: SMs, Xe cores, GPU cores. */
  readonly computeUnits: number;
  /** From one dispatch to the next that depends on it: the GPU drains, memory becomes visible, it fills again. */
  readonly dispatchSeconds: number;
  /** Where the ceilings are from. */
  readonly source: string;
}

// An assumption, not published: of Vulkan's barriers between dispatches of one pass, by kind of GPU.
const DISCRETE_DISPATCH_SECONDS = 4e-6;
const INTEGRATED_DISPATCH_SECONDS = 8e-6;

const H100_SXM: DeviceCeilings = {
  name: 'H100 SXM',
  matches: /\bH100\b.*(SXM|HBM3)/i,
  f32FlopsPerSecond: 67e12,
  matrixFlopsPerSecond: 989e12,
  bytesPerSecond: 3.35e12,
  computeUnits: 132,
  dispatchSeconds: DISCRETE_DISPATCH_SECONDS,
  source: 'NVIDIA H100 data sheet: 67 TFLOP/s, f16 matrices 1,979 with sparsity, half without, 3.35 TB/s',
};

/** GPUs of data centres and of laptops, the fastest first. */
export const devices: readonly DeviceCeilings[] = [
  {
    ...H100_SXM,
    name: 'H200 SXM',
    matches: /\bH200\b(?! NVL)/i,
    bytesPerSecond: 4.8e12,
    source: 'NVIDIA H200 data sheet: 67 TFLOP/s, f16 matrices 1,979 with sparsity, half without, 4.8 TB/s',
  },
  H100_SXM,
  {
    ...H100_SXM,
    name: 'H100 PCIe',
    matches: /\bH100 PCIe/i,
    f32FlopsPerSecond: 51e12,
    matrixFlopsPerSecond: 756e12,
    bytesPerSecond: 2e12,
    computeUnits: 114,
    source: 'NVIDIA H100 data sheet: 51 TFLOP/s, f16 matrices 1,513 with sparsity, half without, 2 TB/s',
  },
  {
    name: 'RTX 4060 Laptop',
    matches: /RTX 4060 Laptop/i,
    f32FlopsPerSecond: 2 * 3072 * 2.37e9,
    matrixFlopsPerSecond: 4 * 3072 * 2.37e9,
    bytesPerSecond: 256e9,
    computeUnits: 24,
    dispatchSeconds: DISCRETE_DISPATCH_SECONDS,
    source:
      'NVIDIA: 3,072 cores at up to 2.37 GHz (115 W; at 35 W 1.47 GHz), 128 bit of 16 Gbit/s; f16 matrices with sums ' +
      'in f32 twice f32, as the Ada whitepaper has it for GeForce',
  },
  {
    name: 'Arc 140V',
    matches: /Arc.*140V/i,
    f32FlopsPerSecond: 2 * 8 * 128 * 2.05e9,
    matrixFlopsPerSecond: 67e12 / 2,
    bytesPerSecond: 136.5e9,
    computeUnits: 8,
    dispatchSeconds: INTEGRATED_DISPATCH_SECONDS,
    source:
      'Intel: 8 Xe2 cores of 128 lanes at up to 2.05 GHz, 67 TOPS of int8 matrices (f16 half of it), LPDDR5X-8533 of ' +
      '128 bit, shared with the processor',
  },
  {
    name: 'Apple M2',
    matches: /\bApple M2\b(?! (Pro|Max|Ultra))/i,
    f32FlopsPerSecond: 3.6e12,
    bytesPerSecond: 100e9,
    computeUnits: 10,
    dispatchSeconds: INTEGRATED_DISPATCH_SECONDS,
    source:
      'Apple: 10 GPU cores with 3.6 TFLOP/s, 100 GB/s, shared with the processor; no matrix units of its own',
  },
];

/** The entry of an adapter; undefined where it is none of these. */
export function knownDevice({
  device,
  description,
}: Pick<AdapterSummary, 'device' | 'description'>): DeviceCeilings | undefined {
  // Dawn writes the GPU's name like `nvidia-h100-pcie`.
  const text = `${device.replaceAll('-', ' ')} ${description}`;
  return devices.find(({ matches }) => matches.test(text));
}
