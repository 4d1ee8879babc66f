import type { Variant } from '../runtime/variants.js';
import subgroupSumWgsl from './workgroup-sum-subgroups.wgsl';
import workgroupSumWgsl from './workgroup-sum.wgsl';

/** A variant of a kernel that sums within workgroups: how many invocations one has, and how they add up. */
export interface WorkgroupSumVariant extends Variant {
  readonly lanes: number;
}

export const workgroupSumVariants: readonly WorkgroupSumVariant[] = [
  { name: 'workgroup', needs: [], prefers: 'gpu', lanes: 64 },
  { name: 'subgroups', needs: ['subgroups'], prefers: 'gpu', lanes: 64 },
  { name: 'narrow', needs: [], prefers: 'software', lanes: 8 },
];

/** WGSL in front of a kernel that calls `workgroup_sum`: feature lines, the header, and the variant's sums. */
export function withWorkgroupSum(variant: WorkgroupSumVariant, header: string): string {
  const subgroups = variant.needs.includes('subgroups');
  return (subgroups ? 'enable subgroups;\n' : '') + header + (subgroups ? subgroupSumWgsl : workgroupSumWgsl);
}
