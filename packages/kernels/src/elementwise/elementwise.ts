import type { GpuArray, RowLayout } from '../runtime/gpu-array.js';
import { ShapeError } from '../runtime/errors.js';
import type { Cost } from '../runtime/ledger.js';
import { loopBounds } from '../runtime/loop-bounds.js';
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
import type { Variant } from '../runtime/variants.js';
import type { KernelData } from '../runtime/wgsl.js';
import rowStartWgsl from '../runtime/row-start.wgsl';
import elementwiseWgsl from './elementwise.wgsl';

export const elementwiseVariants: readonly Variant[] = [{ name: 'elementwise', needs: [], prefers: 'any' }];

/** One input of an element-wise kernel, which the expression calls by its name. */
export interface ElementwiseInput {
  readonly array: GpuArray;
  /**
   * What an element of the output sees: `rows` (the default) its element at the same place; `looked up` that of row
   * `indices[r]`; `factor` one number, the same for so many rows in succession (`rowsPerFactor`, default all).
   */
  readonly as?: 'rows' | 'looked up' | 'factor';
  /** u32, one a row of the output. Those beyond the last row of the array are taken for the last. */
  readonly indices?: GpuArray;
  readonly rowsPerFactor?: number;
  /** Rows that take the place of the array's own, e.g. each of them several times. */
  readonly layout?: RowLayout;
  /**
   * Says that it may lie in the buffer of the output, where it must be the very rows of the output (`ShapeError` for
   * others), or with `any rows` the same rows or none of those written.
   */
  readonly inPlace?: 'same rows' | 'any rows';
}

/** One element-wise kernel on its arrays. */
export interface ElementwiseCall {
  readonly kernel: string;
  /** By the names that the expression and messages use. Absent ones are passed over. */
  readonly inputs: Readonly<Record<string, ElementwiseInput | undefined>>;
  /** The output and its name in messages. */
  readonly out: GpuArray;
  readonly outName?: string;
  /** WGSL of the value at one place: an `Element` (f32 or vec4f), made of inputs, data and `column`. */
  readonly value: string;
  /** Files of WGSL that define what the expression calls, for f32 alone: the kernel then loads no vec4f. */
  readonly scalarFunctions?: readonly string[];
  /** Numbers that the expression names. */
  readonly data?: KernelData;
  /** Numbers of columns that the expression names, counted in Elements as `column` is. */
  readonly columnData?: Readonly<Record<string, number>>;
  /** Adds to the output instead of overwriting it. */
  readonly accumulate?: boolean;
  readonly cost: Cost;
}

// An invocation loads 2 to this power. What it does once, such as reading its data, costs a processor as much as several
// loads; a GPU wants many invocations.
const LOAD_BITS = { software: 4, gpu: 2 };
// What a processor works on at once: eight invocations.
const PROCESSOR_BITS = 3;
// Of a workgroup of 64.
const INVOCATION_BITS = 6;

interface Placed extends ElementwiseInput {
  readonly name: string;
  readonly rows: RowLayout;
  /** Read through the binding of the output. */
  readonly isInOut: boolean;
}

/**
 * out[r, c] = value of the inputs at [r, c], or out += value. The output is rows of C columns at two levels of strides,
 * and so are inputs, where a stride of 0 repeats a row; each may be f32 or f16, factors are f32.
 *
 * @throws ShapeError for arrays that do not fit together, and for an input in the buffer of the output that may not be
 *   there
 */
export function elementwise(runtime: Runtime, call: ElementwiseCall): void {
  const { kernel, out, outName = 'out', accumulate = false, columnData = {} } = call;
  const outRows = requireWritableRows(kernel, outName, out, { mayBeHalf: true });
  const inputs: Placed[] = [];
  const others: Record<string, GpuArray | undefined> = {};
  for (const [name, input] of Object.entries(call.inputs)) {
    if (!input) continue;
    const placed = placeInput(call, name, input, outRows);
    inputs.push(placed);
    if (!placed.isInOut) others[name] = input.array;
    if (input.indices) others.indices = input.indices;
  }
  requireSeparate(kernel, { [outName]: out }, others);

  const elements = inputs.filter(({ as }) => as !== 'factor');
  const columnLayouts = Object.values(columnData).map((columns) => ({ ...outRows, columns }));
  const apart = [outRows, ...elements.map(({ rows }) => rows)];
  const isRowless = inputs.every(
    ({ as, rowsPerFactor = outRows.rows }) => as !== 'looked up' && rowsPerFactor === outRows.rows,
  );
  const layouts = isRowless && columnLayouts.length === 0 ? flattened(apart) : apart;
  const width = call.scalarFunctions ? 1 : elementWidth([...layouts, ...columnLayouts]);
  const [outLayout] = layouts as [RowLayout];
  const columns = outLayout.columns / width;
  const { isSoftware } = runtime.adapter;
  const loadBits = LOAD_BITS[isSoftware ? 'software' : 'gpu'];
  const bounds = loopBounds(runtime, { LOAD_BITS: loadBits });
  const { columnBits, rowBlocks, columnBlocks } = blocksOf(outLayout.rows, columns, width, loadBits);
  const isLong = columnBlocks > rowBlocks;
  const [x, y] = runtime.linearGrid(isLong ? columnBlocks : rowBlocks);

  const data: Record<string, KernelData[string]> = {
    ROWS: outLayout.rows,
    COLUMNS: columns,
    COLUMN_BITS: columnBits,
    STEP_BITS: isSoftware ? Math.min(columnBits, PROCESSOR_BITS) : columnBits,
    IS_LONG: Number(isLong),
    GRID_X: x,
    ...rowData('OUT', outLayout, width),
    ...bounds.data,
    ...call.data,
  };
  for (const name in columnData) data[name] = columnData[name]! / width;
  const arrays: Record<string, GpuArray | undefined> = { out };
  for (const input of inputs) {
    const { name, array, indices, rows } = input;
    const prefix = name.toUpperCase();
    if (!input.isInOut) arrays[name] = array;
    if (input.as === 'factor') {
      data[`${prefix}_OFFSET`] = array.offset;
      if (input.rowsPerFactor) data[`${prefix}_ROWS`] = input.rowsPerFactor;
      continue;
    }
    Object.assign(data, rowData(prefix, layouts[1 + elements.indexOf(input)]!, width));
    if (!indices) continue;
    arrays[`${name}_indices`] = indices;
    data[`${prefix}_INDICES_OFFSET`] = indices.offset;
    data[`${prefix}_LAST`] = rows.rows - 1;
  }
  runtime.run({
    kernel,
    wgsl: [
      elementAlias(width),
      rowStartWgsl,
      ...(call.scalarFunctions ?? []),
      withExpression(call.value, inputs),
    ],
    constants: { ACCUMULATE: accumulate, ...bounds.constants },
    data,
    arrays,
    workgroups: [x, y, isLong ? rowBlocks : columnBlocks],
    cost: call.cost,
  });
}

function placeInput(
  { kernel, out, outName = 'out' }: ElementwiseCall,
  name: string,
  input: ElementwiseInput,
  { rows, columns, ...outLayout }: RowLayout,
): Placed {
  const { array, as = 'rows', rowsPerFactor = rows, indices, inPlace } = input;
  if (as === 'factor') {
    requireContiguous(kernel, name, array, rows / rowsPerFactor);
    return { ...input, name, rows: array.rows(), isInOut: false };
  }
  if (as === 'looked up') requireContiguous(kernel, 'indices', indices!, rows, 'u32');
  const expected = as === 'looked up' ? { columns } : { rows, columns };
  const layout = input.layout ?? requireRows(kernel, name, array, { ...expected, mayBeHalf: true });
  const isInOut = inPlace !== undefined && as === 'rows' && array.storage.id === out.storage.id;
  if (isInOut && inPlace === 'same rows' && !isSameRows(layout, { rows, columns, ...outLayout })) {
    throw new ShapeError(
      `${kernel}: ${name} and ${outName} share a buffer but are not the same rows of it: ${array} and ${out}; copy one`,
    );
  }
  return { ...input, name, rows: layout, isInOut };
}

/** Whether two layouts address the same rows. */
export function isSameRows(a: RowLayout, b: RowLayout): boolean {
  return (
    a.rows === b.rows &&
    a.columns === b.columns &&
    a.offset === b.offset &&
    (a.rows === 1 || a.inner === 1 || a.innerStride === b.innerStride) &&
    a.inner === b.inner &&
    (a.rows === a.inner || a.outerStride === b.outerStride)
  );
}

interface Blocks {
  readonly columnBits: number;
  readonly rowBlocks: number;
  readonly columnBlocks: number;
}

// The number of neighbours in a row that makes the fewest workgroups: loads behind the end of a row take their time on
// a software driver. What neighbours load together stays 128 bytes long, where a row is.
function blocksOf(rows: number, columns: number, width: 1 | 4, loadBits: number): Blocks {
  const least = Math.min(width === 4 ? 3 : 5, Math.max(0, Math.ceil(Math.log2(columns)) - loadBits));
  let best: Blocks | undefined;
  for (let columnBits = INVOCATION_BITS; columnBits >= least; columnBits--) {
    const rowBlocks = Math.ceil(rows / (1 << (INVOCATION_BITS - columnBits)));
    const columnBlocks = Math.ceil(columns / (1 << (loadBits + columnBits)));
    if (!best || rowBlocks * columnBlocks < best.rowBlocks * best.columnBlocks)
      best = { columnBits, rowBlocks, columnBlocks };
  }
  return best!;
}

// Rows that follow one another in every array are as good as one long row, whose columns need no division.
function flattened(layouts: readonly RowLayout[]): readonly RowLayout[] {
  const isOne = ({ rows, columns, inner, innerStride, outerStride }: RowLayout) =>
    (inner === 1 || innerStride === columns) && (inner === rows || outerStride === inner * columns);
  if (!layouts.every(isOne)) return layouts;
  return layouts.map(({ rows, columns, offset }) => ({
    rows: 1,
    columns: rows * columns,
    offset,
    inner: 1,
    innerStride: rows * columns,
    outerStride: 0,
  }));
}

const made = new Map<string, string>();

function withExpression(value: string, inputs: readonly Placed[]): string {
  let key = value;
  for (const { name, array, as = '', isInOut, rowsPerFactor } of inputs) {
    key += `|${name} ${array.dtype} ${as} ${isInOut} ${rowsPerFactor !== undefined}`;
  }
  let wgsl = made.get(key);
  if (wgsl === undefined) {
    wgsl = elementwiseWgsl
      .replace('//! DECLARATIONS', inputs.map(declaration).join('\n'))
      .replace('//! STARTS', inputs.map(start).join('\n  '))
      .replace('//! ELEMENTS', inputs.map(element).join('\n      '))
      .replace('Element(VALUE)', `Element(${value})`);
    made.set(key, wgsl);
  }
  return wgsl;
}

function declaration({ name, array, as, isInOut }: Placed): string {
  const type = as === 'factor' ? 'f32' : array.dtype === 'f16' ? 'Half' : 'Element';
  const own = isInOut ? '' : `var<storage, read> ${name}: array<${type}>;`;
  return as === 'looked up' ? `${own}\nvar<storage, read> ${name}_indices: array<u32>;` : own;
}

function start({ name, as, rowsPerFactor }: Placed): string {
  const prefix = name.toUpperCase();
  if (as === 'factor') {
    return `let ${name} = ${name}[${prefix}_OFFSET${rowsPerFactor ? ` + row / ${prefix}_ROWS` : ''}];`;
  }
  const row =
    as === 'looked up' ? `min(${name}_indices[${prefix}_INDICES_OFFSET + row], ${prefix}_LAST)` : 'row';
  const strides = ['OFFSET', 'INNER', 'INVERSE', 'INNER_STRIDE', 'OUTER_STRIDE'].map(
    (part) => `${prefix}_${part}`,
  );
  return `let ${name}_start = row_start(${row}, ${strides.join(', ')});`;
}

function element({ name, as, isInOut }: Placed): string {
  if (as === 'factor') return '';
  return `let ${name} = Element(${isInOut ? 'out' : name}[${name}_start + column]);`;
}
