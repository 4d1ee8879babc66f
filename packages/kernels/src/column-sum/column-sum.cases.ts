import { defineKernel, type ArraySpec, type KernelCase } from '../kernel-spec.js';
import { normals } from '../testing/random.js';
import {
  addArrays,
  gatherRows,
  randomTokenRows,
  scatterRows,
  tokenLayout,
  tokenShape,
  viewTokens,
  type TokenRows,
} from '../testing/views.js';
import { columnSum, columnSumCost, columnSumVariants } from './column-sum.js';
import { columnSumBackwardReference, columnSumReference } from './column-sum.reference.js';

interface ColumnSumShape extends TokenRows {
  readonly accumulate?: boolean;
  /** `x` is of f16. */
  readonly half?: boolean;
}

const cases: readonly KernelCase<ColumnSumShape>[] = [
  { name: 'tiny', kind: 'tiny', shape: { batch: 2, regions: 1, tokens: 3, columns: 5, view: 'locals' } },
  { name: 'one element', kind: 'edge', shape: { batch: 1, regions: 1, tokens: 1, columns: 1, view: 'all' } },
  {
    name: 'primes, two stages, added',
    kind: 'edge',
    shape: { batch: 1, regions: 1, tokens: 257, columns: 101, view: 'all', accumulate: true },
  },
  {
    name: 'local rows, two stages',
    kind: 'edge',
    shape: { batch: 3, regions: 8, tokens: 11, columns: 36, view: 'locals' },
  },
  {
    name: 'representative rows',
    kind: 'edge',
    shape: { batch: 2, regions: 8, tokens: 11, columns: 132, view: 'representatives', accumulate: true },
  },
  {
    name: 'of f16, two stages',
    kind: 'edge',
    shape: { batch: 1, regions: 1, tokens: 300, columns: 36, view: 'all', half: true },
  },
  {
    name: 'more rows than parts',
    kind: 'edge',
    shape: { batch: 1, regions: 1, tokens: 9001, columns: 8, view: 'all' },
  },
  {
    name: 'fine-tuning, hidden layer',
    kind: 'model',
    shape: { batch: 1, regions: 8, tokens: 101, columns: 2048, view: 'all', accumulate: true },
  },
];

export const columnSumKernel = defineKernel<ColumnSumShape>({
  name: 'column-sum',
  summary: 'out[c] = Σ_r x[r, c] (bias gradients)',
  variants: columnSumVariants,
  cases,
  randomShape: (random) => ({ ...randomTokenRows(random), accumulate: random.uniform() < 0.5 }),
  inputs: (shape) => ({ x: { shape: tokenShape(shape), dtype: shape.half ? 'f16' : 'f32' } }),
  outputs: ({ columns, accumulate }): Readonly<Record<string, ArraySpec>> => ({
    out: accumulate
      ? {
          shape: [columns],
          initial: normals(columns),
        }
      : { shape: [columns] },
  }),
  run: (runtime, shape, { x }, { out }) =>
    columnSum(runtime, { x: viewTokens(x!, shape), out: out!, accumulate: shape.accumulate ?? false }),
  reference: (shape, { x, out }) => {
    const sums = columnSumReference(gatherRows(x!, tokenLayout(shape)), shape.columns);
    return { out: out ? addArrays(out, sums) : sums };
  },
  referenceBackward: (shape, { x }, { out }) => {
    const layout = tokenLayout(shape);
    return {
      x: scatterRows(new Float64Array(x!.length), layout, columnSumBackwardReference(layout.rows, out!)),
    };
  },
  movesMore: 'parts',
  cost: ({ accumulate, half, ...shape }) =>
    columnSumCost(tokenLayout(shape).rows, shape.columns, { accumulate, xBytes: half ? 2 : 4 }),
});
