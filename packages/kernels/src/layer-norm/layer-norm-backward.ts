import { PartialSums } from '../partial-sums/partial-sums.js';
import { workgroupConstants, workgroupSumBytes } from '../reduce/workgroup-sum.js';
import workgroupSumWgsl from '../reduce/workgroup-sum.wgsl';
import rowStartWgsl from '../runtime/row-start.wgsl';
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
import arraysWgsl from './layer-norm-backward-arrays.wgsl';
import subgroupWgsl from './layer-norm-backward-subgroup.wgsl';
import backwardWgsl from './layer-norm-backward.wgsl';
import { planLayerNorm } from './layer-norm-variants.js';

const KERNEL = 'layer-norm-backward';

/**
 * Workgroups that keep a device busy; rows beyond share them. Those of GPUs are reckoned, not measured: a processor of
 * an H100 has to move 21 bytes a nanosecond, and a subgroup moves the 7 KB of a row of 512 columns in about 900 ns.
 */
const BUSY = { software: 32, gpu: 1024, gpuSubgroups: 512 };
// Fewer rows make parts of one each; above, parts cost a quarter of what they are made of.
const FEW_ROWS = 256;
const LEAST_ROWS = 4;
// What a workgroup notes of its rows is in memory of this size.
const MOST_PART_ROWS = 256;

/** How many rows a workgroup takes. */
function rowsPerPart(rows: number, isSoftware: boolean, held: number | undefined): number {
  const least = rows <= FEW_ROWS && !isSoftware ? 1 : LEAST_ROWS;
  const busy = isSoftware ? BUSY.software : held ? BUSY.gpuSubgroups : BUSY.gpu;
  return Math.min(Math.max(least, Math.ceil(rows / busy)), MOST_PART_ROWS);
}

/**
 * Least cost of the backward pass: 15 operations an element. That the sums over rows are made in parts, which are
 * written and read besides, is the method's. `dOutBytes`: of an element of dOut.
 */
export function layerNormBackwardCost(
  rows: number,
  columns: number,
  { accumulateDx = false, accumulateParameters = false }: LayerNormBackwardOptions = {},
  dOutBytes = 4,
): Cost {
  const count = rows * columns;
  return {
    macs: 0,
    flops: 15 * count,
    bytesRead:
      dOutBytes * count +
      4 * ((accumulateDx ? 2 : 1) * count + (accumulateParameters ? 3 : 1) * columns + 2 * rows),
    bytesWritten: 4 * (count + 2 * columns),
  };
}

export interface LayerNormBackwardOptions {
  /** Add to dx instead of overwriting it. */
  readonly accumulateDx?: boolean;
  /** Add to dWeight and dBias instead of overwriting them. */
  readonly accumulateParameters?: boolean;
}

export interface LayerNormBackwardArrays extends LayerNormBackwardOptions {
  /** Rows of C columns, f32 or f16. */
  readonly dOut: GpuArray;
  /** The input of the forward pass: as many rows of C columns. */
  readonly x: GpuArray;
  /** [C] */
  readonly weight: GpuArray;
  /** [rows], from the forward pass. */
  readonly mean: GpuArray;
  /** [rows], from the forward pass. */
  readonly rstd: GpuArray;
  /** Rows of C columns, strided or not; written. Rows outside the view stay as they are. */
  readonly dx: GpuArray;
  /** [C]; written. */
  readonly dWeight: GpuArray;
  /** [C]; written. */
  readonly dBias: GpuArray;
}

/**
 * Gradients of `layerNorm`: with x̂ the normalised rows and g = dOut · weight, dx = rstd · (g − mean(g) − x̂ · mean(g ·
 * x̂)), dWeight = Σ_rows dOut · x̂, dBias = Σ_rows dOut. Sums run in a fixed order. With `sums`, dWeight and dBias are
 * there when those are flushed, else at once.
 *
 * @throws ShapeError for arrays that do not fit together or share a buffer with an output
 */
export function layerNormBackward(
  runtime: Runtime,
  arrays: LayerNormBackwardArrays,
  sums?: PartialSums,
): void {
  const { dOut, x, weight, mean, rstd, dx, dWeight, dBias } = arrays;
  const { accumulateDx = false, accumulateParameters = false } = arrays;
  const xRows = requireRows(KERNEL, 'x', x);
  const { rows, columns } = xRows;
  const dOutRows = requireRows(KERNEL, 'dOut', dOut, { rows, columns, mayBeHalf: true });
  const dxRows = requireWritableRows(KERNEL, 'dx', dx, { rows, columns });
  requireContiguous(KERNEL, 'weight', weight, columns);
  requireContiguous(KERNEL, 'mean', mean, rows);
  requireContiguous(KERNEL, 'rstd', rstd, rows);
  requireContiguous(KERNEL, 'dWeight', dWeight, columns);
  requireContiguous(KERNEL, 'dBias', dBias, columns);
  requireSeparate(KERNEL, { dx, dWeight, dBias }, { dOut, x, weight, mean, rstd });

  // Parts start on multiples of four, as far as their columns do.
  const width = elementWidth([dOutRows, xRows, dxRows, weight.rows()]);
  const { variant, invocations, held } = planLayerNorm(runtime, KERNEL, xRows, width);
  const partRows = rowsPerPart(rows, runtime.adapter.isSoftware, held);
  const parts = Math.ceil(rows / partRows);
  const collected = sums ?? new PartialSums(runtime);
  const partials = collected.add([dWeight, dBias], parts, accumulateParameters);
  const [weightParts, biasParts] = partials as [GpuArray, GpuArray];
  const workgroup = workgroupConstants(runtime, invocations);
  const grid = runtime.linearGrid(parts);
  const whole = layerNormBackwardCost(rows, columns, { accumulateDx }, elementBytes(dOut.dtype));
  runtime.run({
    kernel: KERNEL,
    variant,
    wgsl: [
      workgroupSumWgsl,
      elementAlias(width),
      rowStartWgsl,
      arraysWgsl,
      held ? subgroupWgsl : backwardWgsl,
    ],
    constants: { ...workgroup, ...(held ? { HELD: held } : { MOST_PART_ROWS }) },
    data: {
      ROWS: rows,
      COLUMNS: columns / width,
      PART_ROWS: partRows,
      PARTS: parts,
      GRID_X: grid[0],
      ACCUMULATE: Number(accumulateDx),
      ...rowData('DOUT', dOutRows, width),
      ...rowData('X', xRows, width),
      ...rowData('DX', dxRows, width),
      WEIGHT_OFFSET: weight.offset / width,
      MEAN_OFFSET: mean.offset,
      RSTD_OFFSET: rstd.offset,
      WEIGHT_PARTS_OFFSET: weightParts.offset / width,
      BIAS_PARTS_OFFSET: biasParts.offset / width,
    },
    // Parts of both lie in one buffer.
    arrays: { d_out: dOut, x, weight, mean, rstd, dx, parts: weightParts },
    workgroups: grid,
    // Of the sums it writes the parts.
    cost: { ...whole, bytesWritten: whole.bytesWritten + 8 * (parts - 1) * columns },
    joins: {
      workgroup: [invocations, 1],
      workgroupBytes: workgroupSumBytes(workgroup) + (held ? 0 : 4 * MOST_PART_ROWS),
    },
  });
  if (!sums) collected.flush();
}
