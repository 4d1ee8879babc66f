import type { GpuArray } from '../runtime/gpu-array.js';
import { rowData, rowKey } from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';
import { constantHeader } from '../runtime/wgsl.js';
import type { MatmulPlan } from './matmul-plan.js';
import transposeWgsl from './matmul-transpose.wgsl';

/**
 * A new array with B of `plan`, stored [N, K] in each group, as [K, N]; the caller releases it. Extents and
 * layout must be multiples of four. Its traffic counts as nothing: the product's cost has B already.
 */
export function transposeB(runtime: Runtime, plan: MatmulPlan, b: GpuArray): GpuArray {
  const { groups, n, k } = plan.extents;
  const transposed = runtime.empty(groups === 1 ? [k, n] : [groups, k, n], 'f32', 'matmul transposed weight');
  const grid = runtime.linearGrid(Math.ceil((groups * n * k) / 16 / 64));
  const program = runtime.program(`matmul-transpose ${groups} ${n} ${rowKey(plan.b)}`, () => ({
    kernel: 'matmul-transpose',
    detail: `${groups}×${n}×${k}`,
    wgsl:
      constantHeader({
        BLOCKS_N: n / 4,
        BLOCKS_K: k / 4,
        GROUPS: groups,
        GRID_X: grid[0],
        ...rowData('B', plan.b),
        B_TWO_LEVELS: plan.b.inner < plan.b.rows,
      }) + transposeWgsl,
    access: ['read', 'read_write'],
  }));
  runtime.dispatch(program, [b, transposed], grid, { macs: 0, flops: 0, bytesRead: 0, bytesWritten: 0 });
  return transposed;
}
