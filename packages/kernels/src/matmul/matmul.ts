import geluHalfWgsl from '../gelu/gelu-function-half.wgsl';
import geluWgsl from '../gelu/gelu-function.wgsl';
import type { PartialSums } from '../partial-sums/partial-sums.js';
import { ShapeError } from '../runtime/errors.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import exponentialWgsl from '../math/exponential.wgsl';
import type { Cost } from '../runtime/ledger.js';
import type { KernelCall } from '../runtime/program.js';
import rowStartWgsl from '../runtime/row-start.wgsl';
import { rowData } from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';
import { shapeClass, type ShapeClass } from '../runtime/shape-class.js';
import { selectVariant } from '../runtime/variants.js';
import { f32, type WgslConstants } from '../runtime/wgsl.js';
import epilogueWgsl from './matmul-epilogue.wgsl';
import halfInputsWgsl from './matmul-half-inputs.wgsl';
import { keepsGpuBusy } from './matmul-occupancy.js';
import type { MatmulOperands, RowSums } from './matmul-operands.js';
import operandsWgsl from './matmul-operands.wgsl';
import {
  matmulCost,
  matmulPartsCosts,
  planMatmul,
  type MatmulExtents,
  type MatmulPlan,
} from './matmul-plan.js';
import reduceWgsl from './matmul-reduce.wgsl';
import {
  blockGrid,
  matmulVariants,
  smallOutputVariants,
  splitsOf,
  type MatmulVariant,
} from './matmul-variants.js';

export type { MatmulOperands, RowSums } from './matmul-operands.js';
export { matmulCost, type MatmulEpilogue, type MatmulExtents } from './matmul-plan.js';
export { matmulVariants, type MatmulBlock, type MatmulForm, type MatmulVariant } from './matmul-variants.js';

/**
 * out = epilogue(alpha · op(A)·op(B)): see `MatmulOperands` for layouts and the order of the epilogue. When A, B and
 * out all have three axes the first is a batch axis: [G, M, K] · [G, K, N] → [G, M, N]. Accumulates in f32. Where the
 * product has few blocks and a long K, K is split over workgroups and the partial sums are added by a second kernel in
 * a fixed order. With `runtime.precision` f16 a variant may round A and B to f16 (products and sums stay f32); by
 * default none does. With `sums` the result, which nobody reads before those are flushed, may wait there in parts, where it
 * is that of a weight gradient: one product without an epilogue, into a contiguous `out` of f32.
 *
 * @throws ShapeError when shapes do not fit, or when an output shares its buffer with an operand (but for `residual`,
 *   which may be `out`)
 */
export function matmul(runtime: Runtime, operands: MatmulOperands, sums?: PartialSums): void {
  const plan = planMatmul(operands);
  const { groups, m, n, k } = plan.extents;
  const { transposeA = false, transposeB = false } = operands;
  const shape = shapeClass(transposeA ? 2 : transposeB ? 1 : 0, groups * m, n, k);
  const variant = chooseVariant(runtime, plan.extents, shape);
  const { width, copiesOctets, bytes } = plan;
  const form = { transposeA, transposeB, width, copiesOctets, bytes };
  const block = variant.block(plan.extents, form, runtime);
  const { isSoftware } = runtime.adapter;
  // On a GPU a weight gradient shares a dispatch with the gradient of the layer's input.
  const sharesDevice = sums !== undefined && !isSoftware;
  const { splits, kPerSplit } = splitsOf(plan.extents, block, isSoftware, sharesDevice);
  const [blockColumns, blockRows] = blockGrid(plan.extents, block);
  const partsCosts = splits > 1 ? matmulPartsCosts(plan, splits) : undefined;
  // An array more must not make it more than the eight that every device binds.
  const isShort = !plan.preActivation && !plan.geluInput;
  const product: Stage = {
    kernel: 'matmul',
    variant: variant.name,
    wgsl: [...(block.copies ?? []), ...variant.wgsl],
    loadWidth: block.loadWidth,
    constants: {
      ...block.constants,
      ...generality(plan, operands, block.constants),
      TRANSPOSE_A: transposeA,
      TRANSPOSE_B: transposeB,
    },
    data: { K: k, SPLITS: splits, K_PER_SPLIT: kPerSplit },
    workgroups: [blockColumns, blockRows, groups * splits],
    cost: partsCosts?.product ?? matmulCost(plan.extents, plan.epilogue, plan.bytes),
    sharesEpilogue: transposeB,
    sharesRowSums: transposeA && groups === 1 && isShort && !isSoftware,
    joins: block.joins,
  };
  if (partsCosts && sums && runtime.joinsKernels && canWait(plan, operands)) {
    // What waits goes into the same dispatch, while the GPU's cache still has it.
    if (block.invocations === sums.invocations) sums.flushBeside();
    leaveInParts(runtime, product, plan, operands, sums, splits);
    return;
  }
  const rowSums = rowSumsOf(operands, m, sums);
  if (!partsCosts) {
    runStage(runtime, product, plan, operands, rowSums);
    return;
  }
  const partials = runtime.empty([groups * splits * m, n], 'f32', 'matmul partial sums');
  const sumPartials = rowSums && runtime.empty([splits, m], 'f32', 'matmul partial row sums');
  runParts(runtime, product, plan, operands, partials, sumPartials);
  const columnBlocks = Math.ceil(n / 4);
  const grid = runtime.linearGrid(Math.ceil((groups * m * columnBlocks) / 64));
  const second = sumPartials ?? partials;
  runStage(
    runtime,
    {
      kernel: 'matmul-reduce',
      wgsl: [reduceWgsl],
      constants: { A_TWO_STRIDES: false, B_TWO_STRIDES: false },
      data: {
        SPLITS: splits,
        ROWS: groups * m,
        COLUMN_BLOCKS: columnBlocks,
        GRID_X: grid[0],
      },
      workgroups: grid,
      cost: partsCosts.sum,
      sharesEpilogue: true,
      sharesRowSums: isShort,
    },
    { ...plan, a: partials.rows(), b: second.rows() },
    { ...operands, a: partials, b: second, aScale: undefined, rowsPerAScale: undefined },
    rowSums,
  );
  for (const array of [partials, sumPartials]) if (array) runtime.release(array);
}

// What is added up in `sums` is only put in its place, or added to what is there.
function canWait({ extents, epilogue }: MatmulPlan, { out, alpha = 1, activation }: MatmulOperands): boolean {
  const { bias, preActivation, geluInput, rowScales, residual } = epilogue;
  const isPlain = alpha === 1 && activation === undefined && rowScales === 0;
  const isAlone = !bias && !preActivation && !geluInput && !residual;
  return isPlain && isAlone && extents.groups === 1 && out.dtype === 'f32' && out.isContiguous;
}

/** A weight gradient whose parts, one for each part of K, and those of its row sums wait in `sums`. */
function leaveInParts(
  runtime: Runtime,
  product: Stage,
  plan: MatmulPlan,
  operands: MatmulOperands,
  sums: PartialSums,
  splits: number,
): void {
  const { m, n } = plan.extents;
  const { out, accumulate = false, rowSums } = operands;
  const pieces =
    rowSums &&
    ('pieces' in rowSums
      ? rowSums.pieces
      : [{ target: rowSums.out, column: 0, accumulate: rowSums.accumulate ?? false }]);
  const [parts, rowParts] = sums.addRows(
    [
      { columns: m * n, pieces: [{ target: out, column: 0, accumulate }] },
      ...(pieces ? [{ columns: m, pieces }] : []),
    ],
    splits,
  );
  runParts(runtime, product, plan, operands, parts!.reshape([splits * m, n]), rowParts);
}

/** The products of the parts of K, one below the other. */
function runParts(
  runtime: Runtime,
  product: Stage,
  { extents, a, b, width }: MatmulPlan,
  operands: MatmulOperands,
  out: GpuArray,
  rowSums: GpuArray | undefined,
): void {
  const plan = { extents, a, b, width, out: out.rows(), addToOut: false };
  const { a: first, b: second, aScale, rowsPerAScale } = operands;
  const parts = { a: first, b: second, aScale, rowsPerAScale, out };
  runStage(runtime, product, plan, parts, rowSums && { out: rowSums });
}

/** One array for the row sums; where they are for several, a row of `sums`. */
function rowSumsOf({ rowSums }: MatmulOperands, m: number, sums?: PartialSums): WholeRowSums | undefined {
  if (!rowSums || 'out' in rowSums) return rowSums;
  if (!sums) throw new ShapeError('matmul: rowSums in pieces need the partial sums that they go to');
  return { out: sums.addRows([{ columns: m, pieces: rowSums.pieces }], 1)[0]!.reshape([m]) };
}

// Nothing was measured or asked for: then small outputs go to small blocks.
function chooseVariant(runtime: Runtime, extents: MatmulExtents, shape: ShapeClass): MatmulVariant {
  const isFree = runtime.tuning === undefined && !runtime.forcedVariants.has('matmul');
  const isSmall = isFree && !keepsGpuBusy(extents, 128, 128);
  return selectVariant(runtime, 'matmul', isSmall ? smallOutputVariants : matmulVariants, shape);
}

/** What the product and the sum of its parts differ in. */
type Stage = Pick<
  KernelCall,
  'kernel' | 'variant' | 'wgsl' | 'constants' | 'data' | 'workgroups' | 'joins'
> & {
  readonly cost: Cost;
  readonly loadWidth?: 8 | undefined;
  /** Has bias, factors and residual in its program whether they are there or not: linear layers then share it. */
  readonly sharesEpilogue: boolean;
  /** Has row sums in its program whether they are wanted or not: without, it writes nothing there. */
  readonly sharesRowSums: boolean;
};

type WholeRowSums = Extract<RowSums, { readonly out: GpuArray }>;

type StagePlan = Pick<MatmulPlan, 'extents' | 'a' | 'b' | 'out' | 'width' | 'addToOut'> & Partial<MatmulPlan>;

function runStage(
  runtime: Runtime,
  { sharesEpilogue, sharesRowSums, loadWidth, ...stage }: Stage,
  plan: StagePlan,
  operands: Omit<MatmulOperands, 'rowSums'>,
  rowSums?: WholeRowSums,
): void {
  const { m, n } = plan.extents;
  const { activation, aScale, rowsPerAScale = 1, rowsPerScale = 1, alpha = 1 } = operands;
  const { preActivation, geluInput } = plan;
  const isPlain = !preActivation && !geluInput && activation === undefined;
  const absent = sharesEpilogue && isPlain ? runtime.zeros(4) : undefined;
  const bias = operands.bias ?? absent;
  const rowScale = operands.rowScale ?? absent;
  const residual = plan.residual ?? absent?.rows();
  const isHalf = operands.a.dtype === 'f16' || operands.b.dtype === 'f16';
  const noSums = sharesRowSums && !rowSums ? runtime.empty([1], 'f32', 'matmul no row sums') : undefined;
  runtime.run({
    ...stage,
    wgsl: [
      ...(operands.out.dtype === 'f16' ? [geluHalfWgsl] : [exponentialWgsl, geluWgsl]),
      ...[rowStartWgsl, operandsWgsl, epilogueWgsl],
      ...(isHalf && !loadWidth ? [halfInputsWgsl] : []),
      ...stage.wgsl,
    ],
    constants: {
      ...stage.constants,
      LOAD_WIDTH: loadWidth ?? plan.width,
      GELU: activation === 'gelu',
    },
    data: {
      M: m,
      N: n,
      ...((rowSums ?? noSums) && { ROW_SUMS: rowSums ? m : 0 }),
      ...stage.data,
      ...rowData('A', plan.a),
      ...rowData('B', plan.b),
      ...(aScale && {
        A_SCALE_OFFSET: aScale.offset,
        ROWS_PER_A_SCALE: rowsPerAScale,
        A_SCALE_INVERSE: f32(1 / rowsPerAScale),
      }),
      ...rowData('OUT', plan.out),
      ALPHA: f32(alpha),
      ADD_TO_OUT: Number(plan.addToOut),
      ...(preActivation && rowData('PRE_ACTIVATION', preActivation)),
      ...(geluInput && rowData('GELU_INPUT', geluInput)),
      ...(residual && {
        HAS_RESIDUAL: Number(plan.residual !== undefined),
        ...rowData('RESIDUAL', residual),
      }),
      ...(bias && { HAS_BIAS: Number(bias !== absent), BIAS_OFFSET: bias.offset }),
      ...(rowScale && {
        HAS_ROW_SCALE: Number(rowScale !== absent),
        ROW_SCALE_OFFSET: rowScale.offset,
        ROWS_PER_SCALE: rowsPerScale,
      }),
      ...((rowSums ?? noSums) && {
        ROW_SUMS_OFFSET: rowSums?.out.offset ?? 0,
        ADD_TO_ROW_SUMS: Number(rowSums?.accumulate ?? false),
      }),
    },
    arrays: {
      a: operands.a,
      b: operands.b,
      a_scale: aScale,
      out: operands.out,
      bias,
      pre_activation: operands.preActivation,
      gelu_input: operands.geluInput,
      row_scale: rowScale,
      residual: plan.residual ? operands.residual : absent,
      row_sums: rowSums?.out ?? noSums,
    },
  });
  if (noSums) runtime.release(noSums);
}

// What a program is prepared for. Kernels with blocks are made for whole steps of k and one stride, or for all there is;
// the others differ only in the strides of operands whose rows they ask for at every step.
function generality(
  { a, b }: Pick<MatmulPlan, 'a' | 'b'>,
  { transposeA = false, transposeB = false }: MatmulOperands,
  { K_EDGES: edges }: WgslConstants = {},
): WgslConstants {
  const [hasA, hasB] = [a, b].map(({ inner, rows }) => inner < rows) as [boolean, boolean];
  if (edges !== undefined) {
    const isGeneral = edges === true || hasA || hasB;
    return { K_EDGES: isGeneral, A_TWO_STRIDES: isGeneral, B_TWO_STRIDES: isGeneral };
  }
  if (transposeA) return { A_TWO_STRIDES: hasA || hasB, B_TWO_STRIDES: hasA || hasB };
  return { A_TWO_STRIDES: true, B_TWO_STRIDES: transposeB || hasB };
}
