import type { GpuArray } from '../runtime/gpu-array.js';
import type { Runtime } from '../runtime/runtime.js';

export interface AttentionBackwardArguments {
  /** Queries [G, Lq, C]. */
  readonly q: GpuArray;
  /** Keys [G, Lk, C]. */
  readonly k: GpuArray;
  /** Values [G, Lk, C]. */
  readonly v: GpuArray;
  /** Result of the forward [G, Lq, C]. */
  readonly out: GpuArray;
  /** Written by the forward, contiguous [G, H, Lq]. */
  readonly logSumExp: GpuArray;
  /** Gradient of `out` [G, Lq, C]. */
  readonly dOut: GpuArray;
  /** Gradient of `q` [G, Lq, C], overwritten. */
  readonly dq: GpuArray;
  /** Gradient of `k` [G, Lk, C], overwritten. */
  readonly dk: GpuArray;
  /** Gradient of `v` [G, Lk, C], overwritten. */
  readonly dv: GpuArray;
  readonly heads: number;
  /** As given to the forward; default (C/H)^−½. */
  readonly scale?: number | undefined;
}

export declare function attentionBackward(runtime: Runtime, arguments_: AttentionBackwardArguments): void;
