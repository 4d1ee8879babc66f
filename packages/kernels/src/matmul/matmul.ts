import type { GpuArray, RowLayout } from '../runtime/gpu-array.js';
import type { ProgramSource } from '../runtime/program.js';
import { rowData, rowKey } from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';
import { shapeClass, type ShapeClass } from '../runtime/shape-class.js';
import { selectVariant } from '../runtime/variants.js';
import { constantHeader, f32, type WgslConstants } from '../runtime/wgsl.js';
import geluWgsl from '../gelu/gelu-function.wgsl';
import exponentialWgsl from '../math/exponential.wgsl';
import epilogueWgsl from './matmul-epilogue.wgsl';
import layoutWgsl from './matmul-layout.wgsl';
import scalarWgsl from './matmul-operands-scalar.wgsl';
import vec4Wgsl from './matmul-operands-vec4.wgsl';
import rowSumsNoneWgsl from './matmul-row-sums-none.wgsl';
import rowSumsWgsl from './matmul-row-sums.wgsl';
import preActivationNoneWgsl from './matmul-pre-activation-none.wgsl';
import preActivationScalarWgsl from './matmul-pre-activation-scalar.wgsl';
import preActivationVec4Wgsl from './matmul-pre-activation-vec4.wgsl';
import reduceWgsl from './matmul-reduce.wgsl';
import type { MatmulOperands } from './matmul-operands.js';
import { keepsGpuBusy } from './matmul-occupancy.js';
import { matmulCost, planMatmul, type MatmulExtents, type MatmulPlan } from './matmul-plan.js';
import { transposeB as transposeWeight } from './matmul-transpose.js';
import {
  blockGrid,
  matmulVariants,
  smallOutputVariants,
  splitsOf,
  type MatmulBlock,
  type MatmulVariant,
} from './matmul-variants.js';

export type { MatmulOperands, RowSums } from './matmul-operands.js';
export { matmulCost, type MatmulEpilogue, type MatmulExtents } from './matmul-plan.js';
export { matmulVariants, type MatmulBlock, type MatmulForm, type MatmulVariant } from './matmul-variants.js';

const NO_COST = { macs: 0, flops: 0, bytesRead: 0, bytesWritten: 0 };

/**
 * out = epilogue(alpha · op(A)·op(B)): see `MatmulOperands` for layouts and the order of the epilogue.
 * When A, B and out all have three axes the first is a batch axis: [G, M, K] · [G, K, N] → [G, M, N].
 * Accumulates in f32. Where the product has few blocks and a long K, K is split over workgroups and the partial
 * sums are added by a second kernel in a fixed order.
 * With `runtime.precision` f16 a variant may round A and B to f16 (products and sums stay f32); by default none does.
 * Where products are made without workgroup memory or subgroups, a large B stored [N, K] is transposed first, by a kernel
 * `matmul-transpose`.
 * Throws `ShapeError` when shapes do not fit, or when an output shares its buffer with an operand (but for
 * `residual`, which may be `out`).
 */
export function matmul(runtime: Runtime, operands: MatmulOperands): void {
  const plan = planMatmul(operands);
  const { groups, m, n, k } = plan.extents;
  const { transposeA = false, transposeB = false } = operands;
  const shape = shapeClass(transposeA ? 2 : transposeB ? 1 : 0, groups * m, n, k);
  const variant = chooseVariant(runtime, plan.extents, shape);
  if (transposeB && plan.width === 4 && variant.transposesB(plan.extents)) {
    const b = transposeWeight(runtime, plan, operands.b);
    matmul(runtime, { ...operands, b, transposeB: false });
    runtime.release(b);
    return;
  }
  const block = variant.block(plan.extents, { transposeA, transposeB, width: plan.width }, runtime);
  const { splits, kPerSplit } = splitsOf(plan.extents, block, runtime.adapter.isSoftware);
  const form = `${variant.name} ${groups}x${m}x${n}x${k} ${transposeA ? 'T' : 'N'}${transposeB ? 'T' : 'N'}`;
  const product = {
    ...block.constants,
    SPLITS: splits,
    K_PER_SPLIT: kPerSplit,
    TRANSPOSE_A: transposeA,
    TRANSPOSE_B: transposeB,
  };
  const [blockColumns, blockRows] = blockGrid(plan.extents, block);
  const grid = [blockColumns, blockRows, groups * splits] as const;
  const cost = matmulCost(plan.extents, plan.epilogue);
  if (splits === 1) {
    const key = `matmul ${form} ${epilogueKey(plan, operands)}`;
    const program = runtime.program(key, () =>
      source('matmul', form, plan, operands, product, textOf(variant, block)),
    );
    runtime.dispatch(program, bindings(plan, operands), grid, cost);
    return;
  }
  const partials = runtime.empty([groups * splits * m, n], 'f32', 'matmul partial sums');
  const { rowSums } = operands;
  const sumPartials = rowSums && runtime.empty([splits, m], 'f32', 'matmul partial row sums');
  const partial: MatmulOperands = {
    a: operands.a,
    b: operands.b,
    out: partials,
    transposeA,
    transposeB,
    ...(sumPartials ? { rowSums: { out: sumPartials } } : {}),
  };
  const first = withoutEpilogue(plan, partials.rows());
  const firstProgram = runtime.program(`matmul ${form} /${splits} ${epilogueKey(first, partial)}`, () =>
    source('matmul', `${form} in ${splits} parts`, first, partial, product, textOf(variant, block)),
  );
  runtime.dispatch(firstProgram, bindings(first, partial), grid, cost);

  const reduceGrid = runtime.linearGrid(Math.ceil((groups * m * Math.ceil(n / 4)) / 64));
  const second: MatmulOperands = { ...operands, a: partials, b: sumPartials ?? partials };
  const secondPlan: MatmulPlan = { ...plan, a: partials.rows(), b: second.b.rows() };
  const reduction = {
    SPLITS: splits,
    ROWS: groups * m,
    COLUMN_BLOCKS: Math.ceil(n / 4),
    GRID_X: reduceGrid[0],
  };
  const key = `matmul-reduce ${form} /${splits} ${epilogueKey(secondPlan, second)}`;
  const reduceProgram = runtime.program(key, () =>
    source('matmul-reduce', `${form} from ${splits} parts`, secondPlan, second, reduction, {
      wgsl: reduceWgsl,
    }),
  );
  runtime.dispatch(reduceProgram, bindings(secondPlan, second), reduceGrid, NO_COST);
  runtime.release(partials);
  if (sumPartials) runtime.release(sumPartials);
}

function textOf({ enable, wgsl }: MatmulVariant, block: MatmulBlock): Pick<MatmulVariant, 'wgsl' | 'enable'> {
  return { ...(enable ? { enable } : {}), wgsl: `${block.wgsl ?? ''}${wgsl}` };
}

// Nothing was measured or asked for: then small outputs go to small blocks.
function chooseVariant(runtime: Runtime, extents: MatmulExtents, shape: ShapeClass): MatmulVariant {
  const isFree = runtime.tuning === undefined && !runtime.forcedVariants.has('matmul');
  const isSmall = isFree && !keepsGpuBusy(extents, 128, 128);
  return selectVariant(runtime, 'matmul', isSmall ? smallOutputVariants : matmulVariants, shape);
}

function withoutEpilogue(plan: MatmulPlan, out: RowLayout): MatmulPlan {
  const { extents, a, b, width } = plan;
  const none = {
    accumulate: false,
    bias: false,
    preActivation: false,
    geluInput: false,
    rowScales: 0,
    residual: false,
    rowSums: false,
    addToRowSums: false,
  };
  return {
    extents,
    a,
    b,
    out,
    preActivation: undefined,
    geluInput: undefined,
    residual: undefined,
    addToOut: false,
    residualInPlace: false,
    width,
    epilogue: none,
  };
}

// A binding that the kernel does not use still needs a buffer; A is at hand.
function bindings(plan: MatmulPlan, operands: MatmulOperands): GpuArray[] {
  const { a, b, out, bias, geluInput, rowScale, residual, preActivation, rowSums } = operands;
  const arrays = [a, b, out, bias ?? a, geluInput ?? a, rowScale ?? a, (plan.residual && residual) ?? a];
  const second = preActivation ?? rowSums?.out;
  if (second) arrays.push(second);
  return arrays;
}

function epilogueKey(plan: MatmulPlan, operands: MatmulOperands): string {
  const { bias, rowScale, rowsPerScale, activation, alpha = 1, rowSums } = operands;
  const { a, b, out, preActivation, geluInput, residual, width, addToOut } = plan;
  let key = `${rowKey(a)} ${rowKey(b)} ${rowKey(out)} ${width} ${alpha} ${addToOut}`;
  if (preActivation) key += ` keep ${rowKey(preActivation)}`;
  if (geluInput) key += ` gelu' ${rowKey(geluInput)}`;
  if (residual) key += ` residual ${rowKey(residual)}`;
  if (activation) key += ` ${activation}`;
  if (bias) key += ` bias ${bias.offset}`;
  if (rowScale) key += ` scale ${rowScale.offset}/${rowsPerScale}`;
  if (rowSums) key += ` sums ${rowSums.out.offset} ${rowSums.accumulate ?? false} ${rowSums.skip ?? ''}`;
  return key;
}

function source(
  kernel: string,
  detail: string,
  plan: MatmulPlan,
  operands: MatmulOperands,
  constants: WgslConstants,
  { wgsl, enable = [] }: Pick<MatmulVariant, 'wgsl' | 'enable'>,
): ProgramSource {
  const { m, n, k } = plan.extents;
  const { bias, rowScale, rowsPerScale, activation, preActivation, alpha = 1, rowSums } = operands;
  const header = constantHeader({
    M: m,
    N: n,
    K: k,
    ...constants,
    ...layoutConstants('A', plan.a),
    ...layoutConstants('B', plan.b),
    ...layoutConstants('OUT', plan.out),
    ...layoutConstants('PRE_ACTIVATION', plan.preActivation),
    ...layoutConstants('GELU_INPUT', plan.geluInput),
    ...layoutConstants('RESIDUAL', plan.residual),
    ALPHA: f32(alpha),
    HAS_BIAS: bias !== undefined,
    BIAS_OFFSET: bias?.offset ?? 0,
    KEEP_PRE_ACTIVATION: preActivation !== undefined,
    GELU: activation === 'gelu',
    HAS_GELU_INPUT: plan.geluInput !== undefined,
    HAS_ROW_SCALE: rowScale !== undefined,
    ROW_SCALE_OFFSET: rowScale?.offset ?? 0,
    ROWS_PER_SCALE: rowsPerScale ?? 1,
    HAS_RESIDUAL: plan.residual !== undefined,
    ADD_TO_OUT: plan.addToOut,
    ROW_SUMS: rowSums !== undefined,
    ROW_SUMS_OFFSET: rowSums?.out.offset ?? 0,
    ADD_TO_ROW_SUMS: rowSums?.accumulate ?? false,
    SKIP_FROM: rowSums?.skip?.[0] ?? 0,
    SKIP_TO: rowSums?.skip?.[1] ?? 0,
  });
  const wide = plan.width === 4;
  const keepWgsl = wide ? preActivationVec4Wgsl : preActivationScalarWgsl;
  const pieces = [
    ...enable.map((extension) => `enable ${extension};`),
    header,
    exponentialWgsl,
    geluWgsl,
    layoutWgsl,
    wide ? vec4Wgsl : scalarWgsl,
    preActivation ? keepWgsl : preActivationNoneWgsl,
    rowSums ? rowSumsWgsl : rowSumsNoneWgsl,
    epilogueWgsl,
    wgsl,
  ];
  const access: ProgramSource['access'] = ['read', 'read', 'read_write', 'read', 'read', 'read', 'read'];
  return {
    kernel,
    detail,
    wgsl: pieces.join('\n'),
    access: preActivation || rowSums ? [...access, 'read_write'] : access,
  };
}

const ABSENT: RowLayout = { rows: 1, columns: 1, offset: 0, inner: 1, innerStride: 0, outerStride: 0 };

function layoutConstants(prefix: string, layout: RowLayout = ABSENT): WgslConstants {
  return { ...rowData(prefix, layout), [`${prefix}_TWO_LEVELS`]: layout.inner < layout.rows };
}
