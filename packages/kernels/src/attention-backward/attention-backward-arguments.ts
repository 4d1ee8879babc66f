import {
  attentionExtents,
  requireShape,
  requireStatistics,
  type AttentionExtents,
} from '../attention/attention-layout.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import { requireSeparate } from '../runtime/rows.js';

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

/** Checks all shapes against each other, and that no gradient is in the buffer of an input. */
export function attentionBackwardExtents(
  kernel: string,
  { q, k, v, out, logSumExp, dOut, dq, dk, dv, heads }: AttentionBackwardArguments,
): AttentionExtents {
  const extents = attentionExtents(kernel, q, k, v, heads);
  for (const [name, array] of Object.entries({ out, dOut, dq }))
    requireShape(kernel, name, array, q.shape, q.dtype);
  for (const [name, array] of Object.entries({ dk, dv })) requireShape(kernel, name, array, k.shape, q.dtype);
  requireStatistics(kernel, 'logSumExp', logSumExp, extents);
  // Gradients may share a buffer with each other.
  const inputs = { q, k, v, out, logSumExp, dOut };
  requireSeparate(kernel, { dq }, inputs);
  requireSeparate(kernel, { dk }, inputs);
  requireSeparate(kernel, { dv }, inputs);
  return extents;
}

/** What the dispatches of one backward share. */
export interface BackwardCall {
  readonly arguments: AttentionBackwardArguments;
  readonly extents: AttentionExtents;
  readonly scale: number;
}
