import type { Random } from '../kernel-spec.js';
import { GpuArray, type RowLayout } from '../runtime/gpu-array.js';

/** The rows that a layout addresses, copied out of a host buffer one after the other. */
export function gatherRows(buffer: Float64Array, layout: RowLayout): Float64Array {
  const packed = new Float64Array(layout.rows * layout.columns);
  forEachRow(layout, (r, start) =>
    packed.set(buffer.subarray(start, start + layout.columns), r * layout.columns),
  );
  return packed;
}

/** A copy of `buffer` whose rows addressed by the layout are replaced by `packed`; all else stays as it was. */
export function scatterRows(buffer: Float64Array, layout: RowLayout, packed: Float64Array): Float64Array {
  const result = buffer.slice();
  forEachRow(layout, (r, start) =>
    result.set(packed.subarray(r * layout.columns, (r + 1) * layout.columns), start),
  );
  return result;
}

function forEachRow(layout: RowLayout, visit: (row: number, start: number) => void): void {
  for (let r = 0; r < layout.rows; r++) {
    const outer = Math.floor(r / layout.inner);
    visit(r, layout.offset + outer * layout.outerStride + (r % layout.inner) * layout.innerStride);
  }
}

/** Element-wise sum. */
export function addArrays(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + b[i]!);
}

/** Extents of a token buffer [batch, regions, tokens, columns] and which of its rows a kernel is given. */
export interface TokenRows {
  readonly batch: number;
  readonly regions: number;
  readonly tokens: number;
  readonly columns: number;
  /** All rows; the first of each region; or those after the first. */
  readonly view: 'all' | 'representatives' | 'locals';
}

export function tokenShape({ batch, regions, tokens, columns }: TokenRows): readonly number[] {
  return [batch, regions, tokens, columns];
}

/** The rows of an array of `tokenShape` that the view names, as a strided array. */
export function viewTokens(array: GpuArray, { view }: TokenRows): GpuArray {
  if (view === 'representatives') return array.slice(2, 0, 1);
  return view === 'locals' ? array.slice(2, 1, array.shape[2]!) : array;
}

export function tokenLayout(shape: TokenRows): RowLayout {
  return viewTokens(hostView(tokenShape(shape)), shape).rows();
}

/** Shape of the chosen rows by themselves. */
export function tokenRowsShape(shape: TokenRows): readonly number[] {
  const { rows, columns } = tokenLayout(shape);
  return [rows, columns];
}

/** An array without GPU memory, to work out on the host how a view is laid out. */
export function hostView(shape: readonly number[]): GpuArray {
  return new GpuArray(
    { id: 0, buffer: {} as GPUBuffer, offsetBytes: 0, sizeBytes: 0, usedBytes: 0 },
    'f32',
    shape,
  );
}

/** A small random token buffer, rarely a multiple of anything. */
export function randomTokenRows(random: Random): TokenRows {
  return {
    batch: 1 + random.integer(3),
    regions: 1 + random.integer(4),
    tokens: 2 + random.integer(6),
    columns: 1 + random.integer(150),
    view: (['all', 'representatives', 'locals'] as const)[random.integer(3)]!,
  };
}
