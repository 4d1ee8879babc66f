import type { MatmulExtents } from './matmul-plan.js';

// Fewer workgroups than this leave most processors of a large GPU idle.
const ENOUGH_BLOCKS = 64;
// Parts of K this long cost little to write and add up.
const CHEAP_PART = 1024;

/** Whether blocks of this size make enough workgroups for a large GPU, K split where it is long. */
export function keepsGpuBusy({ groups, m, n, k }: MatmulExtents, rows: number, columns: number): boolean {
  const blocks = groups * Math.ceil(m / rows) * Math.ceil(n / columns);
  return blocks * Math.max(1, Math.floor(k / CHEAP_PART)) >= ENOUGH_BLOCKS;
}
