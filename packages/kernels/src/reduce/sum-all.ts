import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import { requireContiguous, requireRows, requireSeparate, rowData } from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';
import { shapeClass } from '../runtime/shape-class.js';
import { selectVariant } from '../runtime/variants.js';
import { f32 } from '../runtime/wgsl.js';
import rowStartWgsl from '../runtime/row-start.wgsl';
import sumAllWgsl from './sum-all.wgsl';
import { workgroupConstants, workgroupSumVariants } from './workgroup-sum.js';
import workgroupSumWgsl from './workgroup-sum.wgsl';

const KERNEL = 'sum-all';
const BLOCK = 4096;
const NO_COST: Cost = { macs: 0, flops: 0, bytesRead: 0, bytesWritten: 0 };

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
  /** Factor on the sum; default 1. */
  readonly scale?: number;
  /** Add to `out` instead of overwriting it. */
  readonly accumulate?: boolean;
  /** Says that x are parts of a sum whose cost whoever made them has stated. */
  readonly isPartOfOther?: boolean;
}

/** out[0] = scale · Σ x over all elements, in a fixed order, to about 1e-7 of Σ|x|. */
export function sumAll(runtime: Runtime, arrays: SumAllArrays): void {
  const { x, out, scale = 1, accumulate = false, isPartOfOther = false } = arrays;
  requireRows(KERNEL, 'x', x);
  requireContiguous(KERNEL, 'out', out, 1);
  requireSeparate(KERNEL, { out }, { x });
  const groups = Math.ceil(x.size / BLOCK);
  if (groups === 1) {
    sumBlocks(runtime, x, out, x.size, { scale, accumulate, isPartOfOther });
    return;
  }
  const partials = runtime.empty([groups], 'f32', 'sum-all partials');
  sumBlocks(runtime, x, partials, BLOCK, { scale: 1, accumulate: false, isPartOfOther });
  sumBlocks(runtime, partials, out, groups, { scale, accumulate, isPartOfOther });
  runtime.release(partials);
}

function sumBlocks(
  runtime: Runtime,
  x: GpuArray,
  out: GpuArray,
  block: number,
  {
    scale,
    accumulate,
    isPartOfOther,
  }: Required<Pick<SumAllArrays, 'scale' | 'accumulate' | 'isPartOfOther'>>,
): void {
  const layout = x.rows();
  const count = x.size;
  const groups = Math.ceil(count / block);
  const variant = selectVariant(runtime, KERNEL, workgroupSumVariants, shapeClass(0, groups, block));
  const grid = runtime.linearGrid(groups);
  runtime.run({
    kernel: KERNEL,
    variant: variant.name,
    wgsl: [workgroupSumWgsl, rowStartWgsl, sumAllWgsl],
    constants: { ...workgroupConstants(runtime, variant.invocations), IS_CONTIGUOUS: x.isContiguous },
    data: {
      COUNT: count,
      COLUMNS: layout.columns,
      BLOCK: block,
      GRID_X: grid[0],
      GROUPS: groups,
      SCALE: f32(scale),
      ACCUMULATE: Number(accumulate),
      ...rowData('X', layout),
      OUT_OFFSET: out.offset,
    },
    arrays: { x, out },
    workgroups: grid,
    cost: isPartOfOther
      ? NO_COST
      : {
          macs: 0,
          flops: count,
          bytesRead: 4 * (count + (accumulate ? 1 : 0)),
          bytesWritten: 4 * groups,
        },
  });
}
