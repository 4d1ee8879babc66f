import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import { requireContiguous, requireRows, requireSeparate, rowData, rowKey } from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';
import { shapeClass } from '../runtime/shape-class.js';
import { selectVariant } from '../runtime/variants.js';
import { constantHeader, f32 } from '../runtime/wgsl.js';
import sumAllWgsl from './sum-all.wgsl';
import { withWorkgroupSum, workgroupSumVariants } from './workgroup-sum.js';

const KERNEL = 'sum-all';
const BLOCK = 4096;

/** One addition an element, and the partial sums of blocks of 4,096 when there is more than one. */
export function sumAllCost(count: number, { accumulate = false }: { accumulate?: boolean } = {}): Cost {
  const partials = count > BLOCK ? Math.ceil(count / BLOCK) : 0;
  return {
    macs: 0,
    flops: count + partials,
    bytesRead: 4 * (count + partials + (accumulate ? 1 : 0)),
    bytesWritten: 4 * (partials + 1),
  };
}

export interface SumAllArrays {
  /** Any rows. */
  readonly x: GpuArray;
  /** [1] */
  readonly out: GpuArray;
  /** Factor on the sum; default 1. Part of the compiled kernel, so meant for constants such as 1 / count. */
  readonly scale?: number;
  /** Add to `out` instead of overwriting it. */
  readonly accumulate?: boolean;
}

/** out[0] = scale · Σ x over all elements, in a fixed order, to about 1e-7 of Σ|x|. */
export function sumAll(runtime: Runtime, { x, out, scale = 1, accumulate = false }: SumAllArrays): void {
  requireRows(KERNEL, 'x', x);
  requireContiguous(KERNEL, 'out', out, 1);
  requireSeparate(KERNEL, { out }, { x });
  const groups = Math.ceil(x.size / BLOCK);
  if (groups === 1) {
    sumBlocks(runtime, x, out, x.size, { scale, accumulate });
    return;
  }
  const partials = runtime.empty([groups], 'f32', 'sum-all partials');
  sumBlocks(runtime, x, partials, BLOCK, { scale: 1, accumulate: false });
  sumBlocks(runtime, partials, out, groups, { scale, accumulate });
  runtime.release(partials);
}

function sumBlocks(
  runtime: Runtime,
  x: GpuArray,
  out: GpuArray,
  block: number,
  { scale, accumulate }: { scale: number; accumulate: boolean },
): void {
  const layout = x.rows();
  const count = x.size;
  const groups = Math.ceil(count / block);
  const variant = selectVariant(runtime, KERNEL, workgroupSumVariants, shapeClass(0, groups, block));
  const grid = runtime.linearGrid(groups);
  const key = `${KERNEL} ${variant.name} ${rowKey(layout)} ${block} ${scale} ${accumulate} ${out.offset}`;
  const program = runtime.program(key, () => ({
    kernel: KERNEL,
    detail: `${variant.name} ${count} elements in ${groups} blocks`,
    wgsl:
      withWorkgroupSum(
        variant,
        constantHeader({
          LANES: variant.lanes,
          COUNT: count,
          COLUMNS: layout.columns,
          BLOCK: block,
          GRID_X: grid[0],
          GROUPS: groups,
          SCALE: f32(scale),
          ACCUMULATE: accumulate,
          ...rowData('X', layout),
          OUT_OFFSET: out.offset,
        }),
      ) + sumAllWgsl,
    access: ['read', 'read_write'],
  }));
  runtime.dispatch(program, [x, out], grid, {
    macs: 0,
    flops: count,
    bytesRead: 4 * (count + (accumulate ? 1 : 0)),
    bytesWritten: 4 * groups,
  });
}
