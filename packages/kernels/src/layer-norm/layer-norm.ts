import { elementBytes, type GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import {
  elementAlias,
  elementWidth,
  requireContiguous,
  requireRows,
  requireSeparate,
  requireWritableRows,
  rowData,
} from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';
import { f32 } from '../runtime/wgsl.js';
import { workgroupConstants, workgroupSumBytes } from '../reduce/workgroup-sum.js';
import workgroupSumWgsl from '../reduce/workgroup-sum.wgsl';
import rowStartWgsl from '../runtime/row-start.wgsl';
import arraysWgsl from './layer-norm-arrays.wgsl';
import subgroupWgsl from './layer-norm-subgroup.wgsl';
import { planLayerNorm } from './layer-norm-variants.js';
import forwardWgsl from './layer-norm.wgsl';

export { layerNormVariants } from './layer-norm-variants.js';

/** Five operations an element, as fvcore counts; `outBytes`: of an element of the result. */
export function layerNormCost(rows: number, columns: number, outBytes = 4): Cost {
  const count = rows * columns;
  return {
    macs: 0,
    flops: 5 * count,
    bytesRead: 4 * (count + 2 * columns),
    bytesWritten: outBytes * count + 8 * rows,
  };
}

export interface LayerNormArrays {
  /** Rows of C columns, strided or not. */
  readonly x: GpuArray;
  /** [C] */
  readonly weight: GpuArray;
  /** [C] */
  readonly bias: GpuArray;
  /** As many rows of C columns, strided or not, f32 or f16. */
  readonly out: GpuArray;
  /** [rows]; written, for the backward pass. */
  readonly mean: GpuArray;
  /** [rows], 1/√(σ² + ε); written, for the backward pass. */
  readonly rstd: GpuArray;
  /** Default 1e-6. */
  readonly epsilon?: number;
}

/**
 * out = (x − μ) / √(σ² + ε) · weight + bias along the last axis, with the biased variance (Ba et al., 2016).
 *
 * @throws ShapeError for arrays that do not fit together or an output that shares a buffer with another array
 */
export function layerNorm(runtime: Runtime, arrays: LayerNormArrays): void {
  const { x, weight, bias, out, mean, rstd, epsilon = 1e-6 } = arrays;
  const kernel = 'layer-norm';
  const xRows = requireRows(kernel, 'x', x);
  const { rows, columns } = xRows;
  const outRows = requireWritableRows(kernel, 'out', out, { rows, columns, mayBeHalf: true });
  requireContiguous(kernel, 'weight', weight, columns);
  requireContiguous(kernel, 'bias', bias, columns);
  requireContiguous(kernel, 'mean', mean, rows);
  requireContiguous(kernel, 'rstd', rstd, rows);
  requireSeparate(kernel, { out, mean, rstd }, { x, weight, bias });

  const width = elementWidth([xRows, outRows, weight.rows(), bias.rows()]);
  const { variant, invocations, held } = planLayerNorm(runtime, kernel, xRows, width);
  const workgroup = workgroupConstants(runtime, invocations);
  const grid = runtime.linearGrid(rows);
  runtime.run({
    kernel,
    variant,
    wgsl: [
      workgroupSumWgsl,
      elementAlias(width),
      rowStartWgsl,
      arraysWgsl,
      held ? subgroupWgsl : forwardWgsl,
    ],
    constants: { ...workgroup, ...(held && { HELD: held }) },
    data: {
      ROWS: rows,
      COLUMNS: columns / width,
      GRID_X: grid[0],
      EPSILON: f32(epsilon),
      ...rowData('X', xRows, width),
      ...rowData('OUT', outRows, width),
      WEIGHT_OFFSET: weight.offset / width,
      BIAS_OFFSET: bias.offset / width,
      MEAN_OFFSET: mean.offset,
      RSTD_OFFSET: rstd.offset,
    },
    arrays: { x, weight, bias, out, mean, rstd },
    workgroups: grid,
    cost: layerNormCost(rows, columns, elementBytes(out.dtype)),
    joins: { workgroup: [invocations, 1], workgroupBytes: workgroupSumBytes(workgroup) },
  });
}
