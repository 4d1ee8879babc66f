import type { Runtime } from '../runtime/runtime.js';
import type { Variant } from '../runtime/variants.js';
import type { WgslConstants } from '../runtime/wgsl.js';

/** A variant of a kernel that sums within workgroups: how many invocations one has. */
export interface WorkgroupSumVariant extends Variant {
  readonly invocations: number;
}

export const workgroupSumVariants: readonly WorkgroupSumVariant[] = [
  { name: 'workgroup', needs: [], prefers: 'gpu', invocations: 64 },
  { name: 'narrow', needs: [], prefers: 'software', invocations: 8 },
];

/** The constants of workgroup-sum.wgsl and workgroup-max.wgsl for a workgroup of so many invocations. */
export interface WorkgroupConstants extends WgslConstants {
  readonly INVOCATIONS: number;
  /** Whether the smallest subgroup that there can be holds the workgroup. */
  readonly IN_SUBGROUP: boolean;
}

export function workgroupConstants(runtime: Runtime, invocations: number): WorkgroupConstants {
  const isInSubgroup = runtime.hasFeature('subgroups') && invocations <= runtime.adapter.subgroupMinSize;
  return { INVOCATIONS: invocations, IN_SUBGROUP: isInSubgroup };
}

/** Bytes of workgroup memory that workgroup-sum.wgsl takes. */
export function workgroupSumBytes({ INVOCATIONS, IN_SUBGROUP }: WorkgroupConstants): number {
  return IN_SUBGROUP ? 0 : 20 * INVOCATIONS;
}
