import { defineKernel, type KernelCase, type Random } from '../kernel-spec.js';
import { product } from '../runtime/gpu-array.js';
import { normals } from '../testing/random.js';
import {
  gatherRows,
  randomTokenRows,
  scatterRows,
  tokenLayout,
  tokenRowsShape,
  tokenShape,
  viewTokens,
  type TokenRows,
} from '../testing/views.js';
import { rowAdd, rowAddCost, rowAddVariants } from './row-add.js';
import { rowAddReference, rowAddTableGradient } from './row-add.reference.js';

/** `out` is a view of a token buffer; `a` is packed rows, or with `broadcast` one row a region for all clips. */
interface RowAddShape extends TokenRows {
  /** Rows of the table; 0 for none. */
  readonly entries: number;
  readonly accumulate?: boolean;
  /** `a` holds the rows of one clip only, repeated over the batch. */
  readonly broadcast?: boolean;
  /** Which of `a` and `out` is of f16, where one is. */
  readonly half?: 'a' | 'out';
}

const cases: readonly KernelCase<RowAddShape>[] = [
  {
    name: 'tiny',
    kind: 'tiny',
    shape: { batch: 2, regions: 2, tokens: 3, columns: 3, view: 'locals', entries: 4 },
  },
  {
    name: 'one element',
    kind: 'edge',
    shape: { batch: 1, regions: 1, tokens: 1, columns: 1, view: 'all', entries: 0 },
  },
  {
    name: 'one row for every region of every clip',
    kind: 'edge',
    shape: {
      batch: 3,
      regions: 4,
      tokens: 5,
      columns: 20,
      view: 'representatives',
      entries: 0,
      broadcast: true,
    },
  },
  {
    name: 'gradients added to local rows',
    kind: 'edge',
    shape: { batch: 2, regions: 3, tokens: 7, columns: 101, view: 'locals', entries: 0, accumulate: true },
  },
  {
    name: 'table rows added to what is there',
    kind: 'edge',
    shape: { batch: 2, regions: 3, tokens: 4, columns: 257, view: 'all', entries: 7, accumulate: true },
  },
  {
    name: 'f32 to f16, aligned',
    kind: 'edge',
    shape: { batch: 1, regions: 2, tokens: 3, columns: 36, view: 'locals', entries: 0, half: 'out' },
  },
  {
    name: 'f16 added to f32',
    kind: 'edge',
    shape: {
      ...{ batch: 2, regions: 2, tokens: 5, columns: 7, view: 'locals', entries: 0 },
      ...{ accumulate: true, half: 'a' },
    },
  },
  {
    name: 'positions into the region-major buffer',
    kind: 'model',
    shape: { batch: 1, regions: 8, tokens: 101, columns: 512, view: 'locals', entries: 800 },
  },
  {
    name: 'base, copy of visible tokens',
    kind: 'model',
    shape: { batch: 1, regions: 8, tokens: 11, columns: 512, view: 'all', entries: 0 },
  },
];

function givenRows(shape: RowAddShape): number {
  return tokenLayout(shape).rows / (shape.broadcast ? shape.batch : 1);
}

function repeated(a: Float64Array, shape: RowAddShape): Float64Array {
  return Float64Array.from({ length: product(tokenRowsShape(shape)) }, (_, i) => a[i % a.length]!);
}

export const rowAddKernel = defineKernel<RowAddShape>({
  name: 'row-add',
  summary: 'out[r] = a[r] (+ table[indices[r]]), rows strided, broadcast or added in place',
  variants: rowAddVariants,
  cases,
  randomShape: (random) => ({
    ...randomTokenRows(random),
    entries: random.integer(6),
    accumulate: random.integer(2) === 1,
    broadcast: random.integer(2) === 1,
  }),
  inputs: (shape) => ({
    a: { shape: [givenRows(shape), shape.columns], dtype: shape.half === 'a' ? 'f16' : 'f32' },
    ...(shape.entries > 0 && {
      table: { shape: [shape.entries, shape.columns] },
      indices: {
        shape: [tokenLayout(shape).rows],
        dtype: 'u32' as const,
        fill: (random: Random) =>
          Uint32Array.from({ length: tokenLayout(shape).rows }, () => random.integer(shape.entries)),
      },
    }),
  }),
  outputs: (shape) => ({
    out: {
      shape: tokenShape(shape),
      dtype: shape.half === 'out' ? 'f16' : 'f32',
      initial: normals(product(tokenShape(shape))),
    },
  }),
  run: (runtime, shape, { a, table, indices }, { out }) =>
    rowAdd(runtime, {
      a: shape.broadcast ? a!.broadcastLeading(shape.batch) : a!,
      table,
      indices,
      out: viewTokens(out!, shape),
      accumulate: shape.accumulate ?? false,
    }),
  reference: (shape, { a, table, indices, out }) => {
    const layout = tokenLayout(shape);
    const previous = shape.accumulate ? gatherRows(out!, layout) : undefined;
    const rows = rowAddReference(repeated(a!, shape), shape.columns, { table, indices, previous });
    return { out: scatterRows(out!, layout, rows) };
  },
  referenceBackward: (shape, { a, indices }, { out }) => {
    const dOut = gatherRows(out!, tokenLayout(shape));
    const gradient = new Float64Array(a!.length);
    dOut.forEach((value, i) => (gradient[i % a!.length]! += value));
    const gradients: Record<string, Float64Array> = { a: gradient };
    if (indices) gradients.table = rowAddTableGradient(dOut, shape.columns, indices, shape.entries);
    return gradients;
  },
  cost: (shape) =>
    rowAddCost(tokenLayout(shape).rows, shape.columns, {
      hasTable: shape.entries > 0,
      accumulate: shape.accumulate ?? false,
      aBytes: shape.half === 'a' ? 2 : 4,
      outBytes: shape.half === 'out' ? 2 : 4,
    }),
  tolerance: 1e-6,
});
