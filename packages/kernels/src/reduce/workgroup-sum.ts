import type { Variant } from '../runtime/variants.js';

/** A variant of a kernel that sums within workgroups: how many invocations one has. */
export interface WorkgroupSumVariant extends Variant {
  readonly invocations: number;
}

export const workgroupSumVariants: readonly WorkgroupSumVariant[] = [
  { name: 'workgroup', needs: [], prefers: 'gpu', invocations: 64 },
  { name: 'narrow', needs: [], prefers: 'software', invocations: 8 },
];
