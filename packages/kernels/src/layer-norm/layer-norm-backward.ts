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
import { shapeClass } from '../runtime/shape-class.js';
import { selectVariant } from '../runtime/variants.js';
import { constantHeader } from '../runtime/wgsl.js';
import parametersWgsl from './layer-norm-backward-parameters.wgsl';
import backwardWgsl from './layer-norm-backward.wgsl';
import sumPartialsWgsl from './layer-norm-sum-partials.wgsl';
import { layerNormVariants } from './layer-norm.js';

const INPUT_KERNEL = 'layer-norm-backward';
const PARAMETER_KERNEL = 'layer-norm-backward-parameters';
const LOADS_PER_WORKGROUP = 64;
const ROWS_PER_CHUNK = 256;
/** Invocations of a workgroup along columns and along rows, for the parameters' gradients. */
const PARAMETER_LANES = { software: [16, 1], gpu: [16, 16] } as const;

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

/** The parameters' gradients, or those of each chunk of rows: 5 operations an element. */
function parametersCost(rows: number, columns: number, chunks: number, accumulate: boolean): Cost {
  const count = rows * columns;
  return {
    macs: 0,
    flops: 5 * count,
    bytesRead: 4 * (2 * count + 3 * rows + (accumulate && chunks === 1 ? 2 * columns : 0)),
    bytesWritten: 4 * 2 * chunks * columns,
  };
}

/** The sums over several chunks. */
function sumPartialsCost(columns: number, chunks: number, accumulate: boolean): Cost {
  if (chunks === 1) return { macs: 0, flops: 0, bytesRead: 0, bytesWritten: 0 };
  return {
    macs: 0,
    flops: 2 * columns * chunks,
    bytesRead: 4 * 2 * columns * (chunks + (accumulate ? 1 : 0)),
    bytesWritten: 4 * 2 * columns,
  };
}

/** How many workgroups share the rows: one set of them where that leaves none too much to do. */
function chunksOf(rows: number): number {
  return Math.ceil(rows / ROWS_PER_CHUNK);
}

/** Cost of the whole backward pass, both kernels and both stages. */
export function layerNormBackwardCost(
  rows: number,
  columns: number,
  { accumulateDx = false, accumulateParameters = false }: LayerNormBackwardOptions = {},
): Cost {
  const chunks = chunksOf(rows);
  const parts = [
    inputCost(rows, columns, accumulateDx),
    parametersCost(rows, columns, chunks, accumulateParameters),
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
  const variant = selectVariant(runtime, INPUT_KERNEL, layerNormVariants, shapeClass(0, rows, columns));
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
  const { x, dWeight, dBias, accumulateParameters: accumulate = false } = arrays;
  const { rows, columns } = requireRows(PARAMETER_KERNEL, 'x', x);
  const chunks = chunksOf(rows);
  if (chunks === 1) {
    chunkGradients(runtime, arrays, correction, { chunks, dWeight, dBias, accumulate });
    return;
  }
  const partials = [0, 1].map(() => runtime.empty([chunks, columns], 'f32', 'layer-norm partials'));
  const [weightPartials, biasPartials] = partials as [GpuArray, GpuArray];
  const places = { dWeight: weightPartials, dBias: biasPartials };
  chunkGradients(runtime, arrays, correction, { chunks, ...places, accumulate: false });
  sumPartials(runtime, places, { dWeight, dBias }, accumulate);
  for (const array of partials) runtime.release(array);
}

interface ParameterPlaces {
  readonly dWeight: GpuArray;
  readonly dBias: GpuArray;
}

function chunkGradients(
  runtime: Runtime,
  { dOut, x, mean, rstd }: LayerNormBackwardArrays,
  correction: GpuArray,
  { chunks, dWeight, dBias, accumulate }: ParameterPlaces & { chunks: number; accumulate: boolean },
): void {
  const xRows = requireRows(PARAMETER_KERNEL, 'x', x);
  const { rows, columns } = xRows;
  const dOutRows = requireRows(PARAMETER_KERNEL, 'dOut', dOut, { rows, columns });
  const { prefers } = selectVariant(runtime, INPUT_KERNEL, layerNormVariants, shapeClass(0, rows, columns));
  const [columnLanes, rowLanes] = PARAMETER_LANES[prefers === 'software' ? 'software' : 'gpu'];
  const width = elementWidth([dOutRows, xRows, dWeight.rows(), dBias.rows()]);
  const columnBlocks = Math.ceil(columns / width / columnLanes);
  const grid = runtime.linearGrid(chunks * columnBlocks);
  const layouts = `${rowKey(dOutRows)} ${rowKey(xRows)} ${mean.offset} ${rstd.offset}`;
  const places = `${dWeight.offset} ${dBias.offset} ${accumulate}`;
  const program = runtime.program(
    `${PARAMETER_KERNEL} ${rowLanes} ${width} ${chunks} ${layouts} ${places}`,
    () => ({
      kernel: PARAMETER_KERNEL,
      detail: `rows=${rows} columns=${columns} in ${chunks} chunks`,
      wgsl:
        elementAlias(width) +
        constantHeader({
          ROWS: rows,
          COLUMNS: columns / width,
          CHUNK_ROWS: ROWS_PER_CHUNK,
          COLUMN_BLOCKS: columnBlocks,
          GROUPS: chunks * columnBlocks,
          GRID_X: grid[0],
          COLUMN_LANES: columnLanes,
          ROW_LANES: rowLanes,
          RUN_ROWS: Math.ceil(Math.sqrt(Math.min(rows, ROWS_PER_CHUNK) / rowLanes)),
          ACCUMULATE: accumulate,
          D_WEIGHT_OFFSET: dWeight.offset / width,
          D_BIAS_OFFSET: dBias.offset / width,
          ...rowConstants('DOUT', dOutRows, width),
          ...rowConstants('X', xRows, width),
          MEAN_OFFSET: mean.offset,
          RSTD_OFFSET: rstd.offset,
        }) +
        parametersWgsl,
      access: ['read', 'read', 'read', 'read', 'read', 'read_write', 'read_write'],
    }),
  );
  const bound = [dOut, x, mean, rstd, correction, dWeight, dBias];
  runtime.dispatch(program, bound, grid, parametersCost(rows, columns, chunks, accumulate));
}

function sumPartials(
  runtime: Runtime,
  partials: ParameterPlaces,
  { dWeight, dBias }: ParameterPlaces,
  accumulate: boolean,
): void {
  const [chunks, columns] = partials.dWeight.shape as [number, number];
  const width = elementWidth([partials.dWeight.rows(), dWeight.rows(), dBias.rows()]);
  const key = `${PARAMETER_KERNEL} sum ${width} ${columns} ${chunks} ${accumulate} ${dWeight.offset} ${dBias.offset}`;
  const program = runtime.program(key, () => ({
    kernel: PARAMETER_KERNEL,
    detail: `sum of ${chunks} chunks, columns=${columns}`,
    wgsl:
      elementAlias(width) +
      constantHeader({
        COLUMNS: columns / width,
        CHUNKS: chunks,
        ACCUMULATE: accumulate,
        D_WEIGHT_OFFSET: dWeight.offset / width,
        D_BIAS_OFFSET: dBias.offset / width,
      }) +
      sumPartialsWgsl,
    access: ['read', 'read', 'read_write', 'read_write'],
  }));
  const bound = [partials.dWeight, partials.dBias, dWeight, dBias];
  const grid = [Math.ceil(columns / width / LOADS_PER_WORKGROUP)] as const;
  runtime.dispatch(program, bound, grid, sumPartialsCost(columns, chunks, accumulate));
}
