import { withWorkgroupSum } from '../reduce/workgroup-sum.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import {
  elementAlias,
  elementWidth,
  requireContiguous,
  requireRows,
  requireSeparate,
  requireWritableRows,
  rowConstants,
  rowKey,
} from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';
import { selectVariant } from '../runtime/variants.js';
import { constantHeader } from '../runtime/wgsl.js';
import parametersWgsl from './layer-norm-backward-parameters.wgsl';
import backwardWgsl from './layer-norm-backward.wgsl';
import sumPartialsWgsl from './layer-norm-sum-partials.wgsl';
import { layerNormVariants } from './layer-norm.js';

const INPUT_KERNEL = 'layer-norm-backward';
const PARAMETER_KERNEL = 'layer-norm-backward-parameters';
const LOADS_PER_WORKGROUP = 64;

/** Gradient of x alone: 10 operations an element. */
function inputCost(rows: number, columns: number, accumulate: boolean): Cost {
  const count = rows * columns;
  return {
    macs: 0,
    flops: 10 * count,
    bytesRead: 4 * ((accumulate ? 3 : 2) * count + columns + 2 * rows),
    bytesWritten: 4 * (count + rows),
  };
}

/** First stage of the parameters' gradients: 5 operations an element. */
function partialsCost(rows: number, columns: number, chunks: number): Cost {
  const count = rows * columns;
  return {
    macs: 0,
    flops: 5 * count,
    bytesRead: 4 * (2 * count + 3 * rows),
    bytesWritten: 4 * 2 * chunks * columns,
  };
}

/** Second stage of the parameters' gradients. */
function sumPartialsCost(columns: number, chunks: number, accumulate: boolean): Cost {
  return {
    macs: 0,
    flops: 2 * columns * chunks,
    bytesRead: 4 * 2 * columns * (chunks + (accumulate ? 1 : 0)),
    bytesWritten: 4 * 2 * columns,
  };
}

function chunking(rows: number): { chunkRows: number; chunks: number } {
  const chunkRows = Math.ceil(Math.sqrt(rows));
  return { chunkRows, chunks: Math.ceil(rows / chunkRows) };
}

/** Cost of the whole backward pass, both kernels and both stages. */
export function layerNormBackwardCost(
  rows: number,
  columns: number,
  { accumulateDx = false, accumulateParameters = false }: LayerNormBackwardOptions = {},
): Cost {
  const { chunks } = chunking(rows);
  const parts = [
    inputCost(rows, columns, accumulateDx),
    partialsCost(rows, columns, chunks),
    sumPartialsCost(columns, chunks, accumulateParameters),
  ];
  const sum = (field: keyof Cost) => parts.reduce((total, part) => total + part[field], 0);
  return { macs: 0, flops: sum('flops'), bytesRead: sum('bytesRead'), bytesWritten: sum('bytesWritten') };
}

export interface LayerNormBackwardOptions {
  /** Add to dx instead of overwriting it. */
  readonly accumulateDx?: boolean;
  /** Add to dWeight and dBias instead of overwriting them. */
  readonly accumulateParameters?: boolean;
}

export interface LayerNormBackwardArrays extends LayerNormBackwardOptions {
  /** Rows of C columns. */
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
 * Gradients of `layerNorm`: with x̂ the normalised rows and g = dOut · weight,
 * dx = rstd · (g − mean(g) − x̂ · mean(g · x̂)), dWeight = Σ_rows dOut · x̂, dBias = Σ_rows dOut.
 * Sums run in a fixed order. Throws `ShapeError` for arrays that do not fit together or share a buffer with an output.
 */
export function layerNormBackward(runtime: Runtime, arrays: LayerNormBackwardArrays): void {
  const { dOut, x, weight, mean, rstd, dx, dWeight, dBias } = arrays;
  const { rows, columns } = requireRows(INPUT_KERNEL, 'x', x);
  requireContiguous(INPUT_KERNEL, 'weight', weight, columns);
  requireContiguous(INPUT_KERNEL, 'mean', mean, rows);
  requireContiguous(INPUT_KERNEL, 'rstd', rstd, rows);
  requireContiguous(INPUT_KERNEL, 'dWeight', dWeight, columns);
  requireContiguous(INPUT_KERNEL, 'dBias', dBias, columns);
  requireSeparate(INPUT_KERNEL, { dx, dWeight, dBias }, { dOut, x, weight, mean, rstd });
  const correction = runtime.empty([rows], 'f32', 'layer-norm correction');
  inputGradient(runtime, arrays, correction);
  parameterGradients(runtime, arrays, correction);
  runtime.release(correction);
}

function inputGradient(runtime: Runtime, arrays: LayerNormBackwardArrays, correction: GpuArray): void {
  const { dOut, x, weight, mean, rstd, dx, accumulateDx = false } = arrays;
  const xRows = requireRows(INPUT_KERNEL, 'x', x);
  const { rows, columns } = xRows;
  const dOutRows = requireRows(INPUT_KERNEL, 'dOut', dOut, { rows, columns });
  const dxRows = requireWritableRows(INPUT_KERNEL, 'dx', dx, { rows, columns });
  const width = elementWidth([dOutRows, xRows, dxRows, weight.rows()]);
  const variant = selectVariant(runtime, INPUT_KERNEL, layerNormVariants);
  const grid = runtime.linearGrid(rows);
  const layouts = `${rowKey(dOutRows)} ${rowKey(xRows)} ${rowKey(dxRows)}`;
  const offsets = `${weight.offset} ${mean.offset} ${rstd.offset}`;
  const key = `${INPUT_KERNEL} ${variant.name} ${layouts} ${offsets} ${accumulateDx}`;
  const program = runtime.program(key, () => ({
    kernel: INPUT_KERNEL,
    detail: `${variant.name} rows=${rows} columns=${columns}`,
    wgsl:
      withWorkgroupSum(
        variant,
        elementAlias(width) +
          constantHeader({
            LANES: variant.lanes,
            ROWS: rows,
            COLUMNS: columns / width,
            GRID_X: grid[0],
            ACCUMULATE: accumulateDx,
            ...rowConstants('DOUT', dOutRows, width),
            ...rowConstants('X', xRows, width),
            ...rowConstants('DX', dxRows, width),
            WEIGHT_OFFSET: weight.offset / width,
            MEAN_OFFSET: mean.offset,
            RSTD_OFFSET: rstd.offset,
          }),
      ) + backwardWgsl,
    access: ['read', 'read', 'read', 'read', 'read', 'read_write', 'read_write'],
  }));
  const bound = [dOut, x, weight, mean, rstd, dx, correction];
  runtime.dispatch(program, bound, grid, inputCost(rows, columns, accumulateDx));
}

function parameterGradients(runtime: Runtime, arrays: LayerNormBackwardArrays, correction: GpuArray): void {
  const { dOut, x, mean, rstd, dWeight, dBias, accumulateParameters = false } = arrays;
  const xRows = requireRows(PARAMETER_KERNEL, 'x', x);
  const { rows, columns } = xRows;
  const dOutRows = requireRows(PARAMETER_KERNEL, 'dOut', dOut, { rows, columns });
  const { chunkRows, chunks } = chunking(rows);
  const partials = runtime.empty([chunks, 2, columns], 'f32', 'layer-norm partials');

  const width = elementWidth([dOutRows, xRows, dWeight.rows(), dBias.rows()]);
  const columnBlocks = Math.ceil(columns / width / LOADS_PER_WORKGROUP);
  const grid = runtime.linearGrid(chunks * columnBlocks);
  const key = `${PARAMETER_KERNEL} ${width} ${rowKey(dOutRows)} ${rowKey(xRows)} ${mean.offset} ${rstd.offset}`;
  const first = runtime.program(key, () => ({
    kernel: PARAMETER_KERNEL,
    detail: `rows=${rows} columns=${columns}`,
    wgsl:
      elementAlias(width) +
      constantHeader({
        ROWS: rows,
        COLUMNS: columns / width,
        CHUNK_ROWS: chunkRows,
        COLUMN_BLOCKS: columnBlocks,
        GROUPS: chunks * columnBlocks,
        GRID_X: grid[0],
        ...rowConstants('DOUT', dOutRows, width),
        ...rowConstants('X', xRows, width),
        MEAN_OFFSET: mean.offset,
        RSTD_OFFSET: rstd.offset,
      }) +
      parametersWgsl,
    access: ['read', 'read', 'read', 'read', 'read', 'read_write'],
  }));
  runtime.dispatch(
    first,
    [dOut, x, mean, rstd, correction, partials],
    grid,
    partialsCost(rows, columns, chunks),
  );

  const sumKey = `${PARAMETER_KERNEL} sum ${width} ${columns} ${chunks} ${accumulateParameters} ${dWeight.offset} ${dBias.offset}`;
  const second = runtime.program(sumKey, () => ({
    kernel: PARAMETER_KERNEL,
    detail: `sum of ${chunks} partials, columns=${columns}`,
    wgsl:
      elementAlias(width) +
      constantHeader({
        COLUMNS: columns / width,
        CHUNKS: chunks,
        ACCUMULATE: accumulateParameters,
        D_WEIGHT_OFFSET: dWeight.offset / width,
        D_BIAS_OFFSET: dBias.offset / width,
      }) +
      sumPartialsWgsl,
    access: ['read', 'read_write', 'read_write'],
  }));
  const cost = sumPartialsCost(columns, chunks, accumulateParameters);
  runtime.dispatch(
    second,
    [partials, dWeight, dBias],
    [Math.ceil((2 * columns) / width / LOADS_PER_WORKGROUP)],
    cost,
  );
  runtime.release(partials);
}
