import { ShapeError } from '../runtime/errors.js';
import { elementBytes, type GpuArray, type RowLayout } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import {
  areMultiplesOf,
  elementWidth,
  MOST_ROWS_OF_TWO_STRIDES,
  requireContiguous,
  requireRows,
  requireSeparate,
  requireWritableRows,
} from '../runtime/rows.js';
import type { MatmulOperands } from './matmul-operands.js';

/** Extents of a product: `groups` times [M, K] · [K, N]. */
export interface MatmulExtents {
  readonly groups: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** The parts of the epilogue that move memory. */
export interface MatmulEpilogue {
  readonly accumulate: boolean;
  readonly bias: boolean;
  readonly preActivation: boolean;
  readonly geluInput: boolean;
  /** Numbers of factors of rows of out and of A; 0 without. */
  readonly rowScales: number;
  readonly aScales: number;
  readonly residual: boolean;
  /** Sums of the rows of op(A) are written, and read before. */
  readonly rowSums: boolean;
  readonly addToRowSums: boolean;
}

/** Bytes of an element of each operand that may be f32 or f16; default 4. */
export interface MatmulBytes {
  readonly a?: number;
  readonly b?: number;
  readonly out?: number;
  readonly preActivation?: number;
  readonly geluInput?: number;
}

/** A checked product: extents, and the layout of every operand that is there. */
export interface MatmulPlan {
  readonly extents: MatmulExtents;
  readonly a: RowLayout;
  readonly b: RowLayout;
  readonly out: RowLayout;
  readonly preActivation: RowLayout | undefined;
  readonly geluInput: RowLayout | undefined;
  /** Undefined where `out` is its own residual. */
  readonly residual: RowLayout | undefined;
  /** `out` is read before it is written, to accumulate or because it is its own residual. */
  readonly addToOut: boolean;
  /** 4 when every load can move four elements. */
  readonly width: 1 | 4;
  /** One of A and B at least is stored in f16, and both can be copied by eights. */
  readonly copiesOctets: boolean;
  readonly epilogue: MatmulEpilogue;
  readonly bytes: MatmulBytes;
}

/**
 * Checks the operands of `matmul` and works out what they describe.
 *
 * @throws ShapeError
 */
export function planMatmul(operands: MatmulOperands): MatmulPlan {
  const { a, b, out, bias, preActivation, geluInput, rowScale, rowsPerScale, residual } = operands;
  const { aScale, rowsPerAScale } = operands;
  const { transposeA = false, transposeB = false, accumulate = false, alpha = 1 } = operands;
  if (transposeA && transposeB) throw new ShapeError('matmul: transposeA and transposeB exclude each other');
  if (!Number.isFinite(alpha)) throw new ShapeError(`matmul: alpha must be finite, got ${alpha}`);
  const aRows = requireRows('matmul', 'a', a, { mayBeHalf: true });
  const bRows = requireRows('matmul', 'b', b, { mayBeHalf: true });
  const outRows = requireWritableRows('matmul', 'out', out, { mayBeHalf: true });
  const groups = groupCount(operands);
  const m = transposeA ? aRows.columns : aRows.rows / groups;
  const k = transposeA ? aRows.rows / groups : aRows.columns;
  const n = transposeB ? bRows.rows / groups : bRows.columns;
  const bK = transposeB ? bRows.columns : bRows.rows / groups;
  if (k !== bK || outRows.rows !== groups * m || outRows.columns !== n) {
    throw new ShapeError(
      `matmul: ${transposeA ? 'transposed ' : ''}a ${a} and ${transposeB ? 'transposed ' : ''}b ${b} do not multiply` +
        ` to out ${out}; as matrices they are ${m}×${k}, ${bK}×${n} and ${outRows.rows / groups}×${outRows.columns}`,
    );
  }
  if (operands.rowSums) requireRowSums(operands, groups, m);
  const expected = { rows: groups * m, columns: n };
  if (bias) requireContiguous('matmul', 'bias', bias, n);
  const rowScales = requireScale('rowScale', rowScale, 'rowsPerScale', rowsPerScale, expected.rows);
  const aScales = requireScale('aScale', aScale, 'rowsPerAScale', rowsPerAScale, aRows.rows);
  if (aScale && aRows.rows > MOST_ROWS_OF_TWO_STRIDES) {
    throw new ShapeError(
      `matmul: a has ${aRows.rows} rows, of which only ${MOST_ROWS_OF_TWO_STRIDES} can have factors; scale them before`,
    );
  }
  const residualRows = residual && requireRows('matmul', 'residual', residual, expected);
  const residualInPlace = residual !== undefined && residual.storage.id === out.storage.id;
  if (residualInPlace && !sameRows(residualRows!, outRows)) {
    throw new ShapeError(
      `matmul: residual ${residual} shares memory with out ${out} but lies elsewhere in it`,
    );
  }
  if (residualInPlace && accumulate) {
    throw new ShapeError(
      'matmul: residual is out itself, so accumulate would add it twice; give one of them',
    );
  }
  const expectedOrHalf = { ...expected, mayBeHalf: true };
  const preActivationRows =
    preActivation && requireWritableRows('matmul', 'preActivation', preActivation, expectedOrHalf);
  const geluInputRows = geluInput && requireRows('matmul', 'geluInput', geluInput, expectedOrHalf);
  const others = { a, b, aScale, bias, geluInput, rowScale, ...(residualInPlace ? {} : { residual }) };
  const { rowSums } = operands;
  const rowSumsOut = rowSums && 'out' in rowSums ? rowSums.out : undefined;
  requireSeparate('matmul', { out, preActivation, rowSums: rowSumsOut }, others);
  const layouts = [aRows, bRows, outRows, preActivationRows, geluInputRows, residualRows];
  const isAligned =
    elementWidth(layouts.filter((layout) => layout !== undefined)) === 4 && (bias?.offset ?? 0) % 4 === 0;
  const isHalf = a.dtype === 'f16' || b.dtype === 'f16';
  return {
    extents: { groups, m, n, k },
    a: aRows,
    b: bRows,
    out: outRows,
    preActivation: preActivationRows,
    geluInput: geluInputRows,
    residual: residualInPlace ? undefined : residualRows,
    addToOut: accumulate || residualInPlace,
    width: isAligned ? 4 : 1,
    copiesOctets: isAligned && isHalf && areMultiplesOf(8, [aRows, bRows]),
    epilogue: {
      accumulate,
      bias: bias !== undefined,
      preActivation: preActivation !== undefined,
      geluInput: geluInput !== undefined,
      rowScales,
      aScales,
      residual: residual !== undefined,
      rowSums: rowSums !== undefined,
      addToRowSums: rowSums !== undefined && 'out' in rowSums && rowSums.accumulate === true,
    },
    bytes: {
      a: elementBytes(a.dtype),
      b: elementBytes(b.dtype),
      out: elementBytes(out.dtype),
      ...(preActivation && { preActivation: elementBytes(preActivation.dtype) }),
      ...(geluInput && { geluInput: elementBytes(geluInput.dtype) }),
    },
  };
}

/** Multiply–accumulates, and every operand moved once. The parts of a split K are counted by `matmulPartsCosts`. */
export function matmulCost(
  { groups, m, n, k }: MatmulExtents,
  epilogue: Partial<MatmulEpilogue> = {},
  bytes: MatmulBytes = {},
): Cost {
  const { a = 4, b = 4, out = 4, preActivation = 4, geluInput = 4 } = bytes;
  const outputs = groups * m * n;
  const { rowScales = 0, aScales = 0 } = epilogue;
  const vectors = (epilogue.bias ? n : 0) + rowScales + aScales + (epilogue.addToRowSums ? m : 0);
  let bytesRead = groups * (a * m * k + b * k * n) + 4 * vectors;
  if (epilogue.accumulate) bytesRead += out * outputs;
  if (epilogue.geluInput) bytesRead += geluInput * outputs;
  if (epilogue.residual) bytesRead += 4 * outputs;
  let bytesWritten = out * outputs;
  if (epilogue.preActivation) bytesWritten += preActivation * outputs;
  if (epilogue.rowSums) bytesWritten += 4 * m;
  return { macs: groups * m * n * k, flops: 0, bytesRead, bytesWritten };
}

/** Of a product whose K is split, and of what adds up the parts, which has the epilogue. */
export function matmulPartsCosts(
  { extents, epilogue, bytes: { a, b, ...bytes } }: MatmulPlan,
  splits: number,
): { readonly product: Cost; readonly sum: Cost } {
  const { aScales, rowSums } = epilogue;
  const product = matmulCost(extents, { aScales, rowSums }, { a, b });
  const partBytes = splits * product.bytesWritten;
  const sum = matmulCost({ ...extents, k: 0 }, { ...epilogue, aScales: 0 }, bytes);
  return {
    product: { ...product, bytesWritten: partBytes },
    sum: { ...sum, bytesRead: sum.bytesRead + partBytes },
  };
}

/** The number of factors of rows; 0 where there are none. */
function requireScale(
  name: string,
  scale: GpuArray | undefined,
  countName: string,
  rowsPerScale: number | undefined,
  rows: number,
): number {
  if (!scale && rowsPerScale === undefined) return 0;
  if (!scale || rowsPerScale === undefined) {
    throw new ShapeError(`matmul: ${name} and ${countName} go together; give both or neither`);
  }
  const scales = Math.ceil(rows / rowsPerScale);
  if (!Number.isInteger(rowsPerScale) || rowsPerScale < 1 || scale.size < scales) {
    throw new ShapeError(`matmul: ${rows} rows, ${rowsPerScale} to a factor, do not fit ${name} ${scale}`);
  }
  requireContiguous('matmul', name, scale, scale.size);
  return scales;
}

function requireRowSums(
  { rowSums, transposeA, preActivation }: MatmulOperands,
  groups: number,
  m: number,
): void {
  if (rowSums && 'out' in rowSums) requireContiguous('matmul', 'rowSums.out', rowSums.out, m);
  if (!transposeA || groups !== 1 || preActivation) {
    throw new ShapeError(
      'matmul: rowSums need transposeA, and go with neither a batch axis nor preActivation',
    );
  }
}

// A leading batch axis is meant only when all three arrays have one; row views of weights never do.
function groupCount({ a, b, out }: MatmulOperands): number {
  if (a.shape.length !== 3 || b.shape.length !== 3 || out.shape.length !== 3) return 1;
  const [groups] = out.shape;
  if (a.shape[0] !== groups || b.shape[0] !== groups) {
    throw new ShapeError(`matmul: a ${a}, b ${b} and out ${out} have different batch extents`);
  }
  return groups!;
}

function sameRows(x: RowLayout, y: RowLayout): boolean {
  if (x.offset !== y.offset || x.rows !== y.rows || x.inner !== y.inner) return false;
  return (
    (x.inner === 1 || x.innerStride === y.innerStride) &&
    (x.inner === x.rows || x.outerStride === y.outerStride)
  );
}
