import geluWgsl from '../gelu/gelu-function.wgsl';
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
import { keepsGpuBusy } from './matmul-occupancy.js';
import type { MatmulOperands } from './matmul-operands.js';
import operandsWgsl from './matmul-operands.wgsl';
import { matmulCost, planMatmul, type MatmulExtents, type MatmulPlan } from './matmul-plan.js';
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

const NO_COST = { macs: 0, flops: 0, bytesRead: 0, bytesWritten: 0 };

/**
 * out = epilogue(alpha · op(A)·op(B)): see `MatmulOperands` for layouts and the order of the epilogue. When A, B and
 * out all have three axes the first is a batch axis: [G, M, K] · [G, K, N] → [G, M, N]. Accumulates in f32. Where the
 * product has few blocks and a long K, K is split over workgroups and the partial sums are added by a second kernel in
 * a fixed order. With `runtime.precision` f16 a variant may round A and B to f16 (products and sums stay f32); by
 * default none does.
 *
 * @throws ShapeError when shapes do not fit, or when an output shares its buffer with an operand (but for `residual`,
 *   which may be `out`)
 */
export function matmul(runtime: Runtime, operands: MatmulOperands): void {
  const plan = planMatmul(operands);
  const { groups, m, n, k } = plan.extents;
  const { transposeA = false, transposeB = false } = operands;
  const shape = shapeClass(transposeA ? 2 : transposeB ? 1 : 0, groups * m, n, k);
  const variant = chooseVariant(runtime, plan.extents, shape);
  const block = variant.block(plan.extents, { transposeA, transposeB, width: plan.width }, runtime);
  const { splits, kPerSplit } = splitsOf(plan.extents, block, runtime.adapter.isSoftware);
  const [blockColumns, blockRows] = blockGrid(plan.extents, block);
  const product: Stage = {
    kernel: 'matmul',
    variant: variant.name,
    wgsl: variant.wgsl,
    constants: {
      ...block.constants,
      ...generality(plan, operands, block.constants),
      TRANSPOSE_A: transposeA,
      TRANSPOSE_B: transposeB,
    },
    data: { K: k, SPLITS: splits, K_PER_SPLIT: kPerSplit },
    workgroups: [blockColumns, blockRows, groups * splits],
    cost: matmulCost(plan.extents, plan.epilogue, plan.bytes),
    sharesEpilogue: transposeB,
  };
  if (splits === 1) {
    runStage(runtime, product, plan, operands);
    return;
  }
  const partials = runtime.empty([groups * splits * m, n], 'f32', 'matmul partial sums');
  const { rowSums } = operands;
  const sumPartials = rowSums && runtime.empty([splits, m], 'f32', 'matmul partial row sums');
  const { extents, a, b, width } = plan;
  runStage(
    runtime,
    product,
    { extents, a, b, width, out: partials.rows(), addToOut: false },
    {
      a: operands.a,
      b: operands.b,
      out: partials,
      ...(sumPartials ? { rowSums: { out: sumPartials } } : {}),
    },
  );
  const columnBlocks = Math.ceil(n / 4);
  const grid = runtime.linearGrid(Math.ceil((groups * m * columnBlocks) / 64));
  const second = sumPartials ?? partials;
  // Without row sums it is given an array for them and writes nothing there, so that one program does for both; not
  // where that would be more arrays than the eight that every device binds.
  const isShort = !plan.preActivation && !plan.geluInput;
  const noSums = !rowSums && isShort ? runtime.empty([1], 'f32', 'matmul no row sums') : undefined;
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
        ...(noSums && { ROW_SUMS: 0 }),
      },
      workgroups: grid,
      cost: NO_COST,
      sharesEpilogue: true,
    },
    { ...plan, a: partials.rows(), b: second.rows() },
    { ...operands, a: partials, b: second, rowSums: rowSums ?? (noSums && { out: noSums }) },
  );
  for (const array of [partials, sumPartials, noSums]) if (array) runtime.release(array);
}

// Nothing was measured or asked for: then small outputs go to small blocks.
function chooseVariant(runtime: Runtime, extents: MatmulExtents, shape: ShapeClass): MatmulVariant {
  const isFree = runtime.tuning === undefined && !runtime.forcedVariants.has('matmul');
  const isSmall = isFree && !keepsGpuBusy(extents, 128, 128);
  return selectVariant(runtime, 'matmul', isSmall ? smallOutputVariants : matmulVariants, shape);
}

/** What the product and the sum of its parts differ in. */
type Stage = Pick<KernelCall, 'kernel' | 'variant' | 'wgsl' | 'constants' | 'data' | 'workgroups'> & {
  readonly cost: Cost;
  /** Has bias, factors and residual in its program whether they are there or not: linear layers then share it. */
  readonly sharesEpilogue: boolean;
};

type StagePlan = Pick<MatmulPlan, 'extents' | 'a' | 'b' | 'out' | 'width' | 'addToOut'> & Partial<MatmulPlan>;

function runStage(runtime: Runtime, stage: Stage, plan: StagePlan, operands: MatmulOperands): void {
  const { m, n } = plan.extents;
  const { activation, rowsPerScale = 1, alpha = 1, rowSums } = operands;
  const { preActivation, geluInput } = plan;
  const isPlain = !preActivation && !geluInput && activation === undefined;
  const absent = stage.sharesEpilogue && isPlain ? runtime.zeros(4) : undefined;
  const bias = operands.bias ?? absent;
  const rowScale = operands.rowScale ?? absent;
  const residual = plan.residual ?? absent?.rows();
  runtime.run({
    ...stage,
    wgsl: [exponentialWgsl, geluWgsl, rowStartWgsl, operandsWgsl, epilogueWgsl, ...stage.wgsl],
    constants: {
      ...stage.constants,
      LOAD_WIDTH: plan.width,
      GELU: activation === 'gelu',
    },
    data: {
      M: m,
      N: n,
      ...(rowSums && { ROW_SUMS: m }),
      ...stage.data,
      ...rowData('A', plan.a),
      ...rowData('B', plan.b),
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
      ...(rowSums && {
        ROW_SUMS_OFFSET: rowSums.out.offset,
        ADD_TO_ROW_SUMS: Number(rowSums.accumulate ?? false),
      }),
    },
    arrays: {
      a: operands.a,
      b: operands.b,
      out: operands.out,
      bias,
      pre_activation: operands.preActivation,
      gelu_input: operands.geluInput,
      row_scale: rowScale,
      residual: plan.residual ? operands.residual : absent,
      row_sums: rowSums?.out,
    },
  });
}

// What a program is prepared for. Kernels with blocks are made for whole ones and one stride, or for all there is; the
// others differ only in the strides of operands whose rows they ask for at every step.
function generality(
  { a, b }: Pick<MatmulPlan, 'a' | 'b'>,
  { transposeA = false, transposeB = false }: MatmulOperands,
  { EDGES: edges }: WgslConstants = {},
): WgslConstants {
  const [hasA, hasB] = [a, b].map(({ inner, rows }) => inner < rows) as [boolean, boolean];
  if (edges !== undefined) {
    const isGeneral = edges === true || hasA || hasB;
    return { EDGES: isGeneral, A_TWO_STRIDES: isGeneral, B_TWO_STRIDES: isGeneral };
  }
  if (transposeA) return { A_TWO_STRIDES: hasA || hasB, B_TWO_STRIDES: hasA || hasB };
  return { A_TWO_STRIDES: true, B_TWO_STRIDES: transposeB || hasB };
}
