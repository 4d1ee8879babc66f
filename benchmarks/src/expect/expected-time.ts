import type { DeviceCeilings } from './devices.js';
import type { DispatchCost, StepCosts } from './step-costs.js';

/** Kinds of kernel that get near a ceiling to different degrees. */
export type KernelClass = 'product' | 'attention' | 'other';

/** What products are made of. */
export type ProductPrecision = 'f32' | 'f16';

/** Which share of the published ceilings kernels are taken to reach. */
export interface Assumptions {
  readonly arithmetic: Readonly<Record<ProductPrecision, Readonly<Record<KernelClass, number>>>>;
  /**
   * The most that products on matrix units reach, as a share of the f32 ceiling: as was measured while their operands
   * came as f32 and were rounded on the way by what does f32.
   */
  readonly rounded: Readonly<Record<KernelClass, number>>;
  readonly bandwidth: number;
  /** Whether workgroups are dealt to compute units in whole rounds, and dispatches wait for each other. */
  readonly overheads: boolean;
}

/** A share of a ceiling for every class: nothing can be faster. */
const whole = { product: 1, attention: 1, other: 1 };
export const ROOFLINE: Assumptions = {
  arithmetic: { f32: whole, f16: whole },
  rounded: { product: Infinity, attention: Infinity, other: Infinity },
  bandwidth: 1,
  overheads: false,
};

/** One tile size for all GPUs reaches 80 % of each one's best on average and 44 % at worst (ggml, four GPUs). */
const TILE_EXPECTED = 0.8;
const TILE_WORST = 0.44;
/** The best tile in WGSL is taken to reach this share of the published ceiling: of f32, and of matrix units. */
const BEST_TILE = { f32: 0.7, f16: 0.45 };
/** Attention in one kernel also does softmax, and its tiles are smaller. */
const ATTENTION = { f32: 0.35, f16: 0.15 };
/** An H100 with 67 TFLOP/s of f32 reached 61 in the products of whole steps, and 31 to 38 in attention. */
const ROUNDED = { product: 0.9, attention: 0.5 };

function assumptions(tile: number, bandwidth: number): Assumptions {
  const of = (precision: ProductPrecision) => ({
    product: tile * BEST_TILE[precision],
    attention: (tile / TILE_EXPECTED) * ATTENTION[precision],
    other: 0.5,
  });
  const rounded = {
    product: (tile / TILE_EXPECTED) * ROUNDED.product,
    attention: (tile / TILE_EXPECTED) * ROUNDED.attention,
    other: Infinity,
  };
  return { arithmetic: { f32: of('f32'), f16: of('f16') }, rounded, bandwidth, overheads: true };
}

export const EXPECTED = assumptions(TILE_EXPECTED, 0.75);
export const CAUTIOUS = assumptions(TILE_WORST, 0.5);

/** JavaScript's part of a replayed dispatch; it runs beside the GPU, so that the slower of the two counts. */
export const JAVASCRIPT_SECONDS = 3e-6;
/** A step waits once for the GPU, to read the loss. */
export const READ_SECONDS = 3e-4;

export function kernelClass({ kernel, cost }: Pick<DispatchCost, 'kernel' | 'cost'>): KernelClass {
  if (cost.macs === 0) return 'other';
  return kernel.startsWith('attention') ? 'attention' : 'product';
}

/**
 * Seconds of one dispatch: the longer of its arithmetic and its traffic at the assumed shares of the ceilings, over
 * the share of compute units that its workgroups keep busy in whole rounds.
 */
export function dispatchSeconds(
  dispatch: DispatchCost,
  device: DeviceCeilings,
  { arithmetic, rounded, bandwidth, overheads }: Assumptions,
  precision: ProductPrecision = 'f32',
): number {
  const { cost, workgroups } = dispatch;
  const kind = kernelClass(dispatch);
  const isMatrix = precision === 'f16' && kind !== 'other' && device.matrixFlopsPerSecond !== undefined;
  const { f32FlopsPerSecond, matrixFlopsPerSecond } = device;
  const reached = isMatrix
    ? Math.min(matrixFlopsPerSecond! * arithmetic.f16[kind], f32FlopsPerSecond * rounded[kind])
    : f32FlopsPerSecond * arithmetic.f32[kind];
  const arithmeticSeconds = (2 * cost.macs + cost.flops) / reached;
  const memorySeconds = (cost.bytesRead + cost.bytesWritten) / (device.bytesPerSecond * bandwidth);
  const seconds = Math.max(arithmeticSeconds, memorySeconds);
  if (!overheads) return seconds;
  const rounds = Math.ceil(workgroups / device.computeUnits);
  return (seconds * rounds * device.computeUnits) / workgroups + device.dispatchSeconds;
}

/** Seconds of a step. */
export function stepSeconds(
  { dispatches }: Pick<StepCosts, 'dispatches'>,
  device: DeviceCeilings,
  assumed: Assumptions,
  precision: ProductPrecision = 'f32',
): number {
  let gpu = 0;
  for (const dispatch of dispatches) gpu += dispatchSeconds(dispatch, device, assumed, precision);
  if (!assumed.overheads) return gpu;
  return Math.max(gpu, dispatches.length * JAVASCRIPT_SECONDS) + READ_SECONDS;
}
