import { defineKernel, type KernelCase } from '../kernel-spec.js';
import { product } from '../runtime/gpu-array.js';
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
import { fill, fillCost, fillVariants } from '../elementwise/fill.js';
import { sumLeadingReference, sumReference } from './reduce.reference.js';
import { sumAll, sumAllCost } from './sum-all.js';
import { sumLeading, sumLeadingCost, sumLeadingVariants } from './sum-leading.js';
import { workgroupSumVariants } from './workgroup-sum.js';

interface SumAllShape extends TokenRows {
  readonly scale?: number;
  readonly accumulate?: boolean;
}

export const sumAllKernel = defineKernel<SumAllShape>({
  name: 'sum-all',
  summary: 'out = scale · Σ x, in a fixed order',
  variants: workgroupSumVariants,
  cases: [
    {
      name: 'tiny',
      kind: 'tiny',
      shape: { batch: 2, regions: 1, tokens: 3, columns: 2, view: 'locals', scale: -0.25 },
    },
    {
      name: 'one element',
      kind: 'edge',
      shape: { batch: 1, regions: 1, tokens: 1, columns: 1, view: 'all' },
    },
    {
      name: 'added, several blocks of a strided view',
      kind: 'edge',
      shape: { batch: 3, regions: 5, tokens: 8, columns: 101, view: 'locals', accumulate: true },
    },
    {
      name: 'a million terms',
      kind: 'model',
      shape: { batch: 1, regions: 1, tokens: 720, columns: 1536, view: 'all', scale: 1 / 1536 },
    },
  ],
  randomShape: (random) => ({
    ...randomTokenRows(random),
    accumulate: random.integer(2) === 1,
    scale: random.normal(),
  }),
  inputs: (shape) => ({ x: { shape: tokenShape(shape) } }),
  outputs: () => ({ out: { shape: [1], initial: normals(1) } }),
  run: (runtime, shape, { x }, { out }) =>
    sumAll(runtime, {
      x: viewTokens(x!, shape),
      out: out!,
      scale: shape.scale,
      accumulate: shape.accumulate,
    }),
  reference: (shape, { x, out }) => {
    const sum = (shape.scale ?? 1) * sumReference(gatherRows(x!, tokenLayout(shape)));
    return { out: Float64Array.of(sum + (shape.accumulate ? out![0]! : 0)) };
  },
  referenceBackward: (shape, { x }, { out }) => {
    const layout = tokenLayout(shape);
    const gradient = new Float64Array(layout.rows * layout.columns).fill((shape.scale ?? 1) * out![0]!);
    return { x: scatterRows(new Float64Array(x!.length), layout, gradient) };
  },
  cost: (shape) =>
    sumAllCost(tokenLayout(shape).rows * shape.columns, { accumulate: shape.accumulate ?? false }),
});

/** x is [batch, tokens, columns] of which the view keeps all tokens, the first, or all but the first. */
interface SumLeadingShape extends TokenRows {
  readonly accumulate?: boolean;
}

export const sumLeadingKernel = defineKernel<SumLeadingShape>({
  name: 'sum-leading',
  summary: 'out[r, c] = Σ_b x[b, r, c], in a fixed order',
  variants: sumLeadingVariants,
  cases: [
    { name: 'tiny', kind: 'tiny', shape: { batch: 3, regions: 1, tokens: 3, columns: 2, view: 'locals' } },
    {
      name: 'one element',
      kind: 'edge',
      shape: { batch: 1, regions: 1, tokens: 1, columns: 1, view: 'all' },
    },
    {
      name: 'added, many terms',
      kind: 'edge',
      shape: { batch: 257, regions: 1, tokens: 4, columns: 7, view: 'locals', accumulate: true },
    },
    {
      name: 'bias gradient',
      kind: 'model',
      shape: { batch: 808, regions: 1, tokens: 1, columns: 512, view: 'all' },
    },
    {
      name: 'representative tokens',
      kind: 'model',
      shape: { batch: 8, regions: 1, tokens: 8, columns: 512, view: 'all', accumulate: true },
    },
  ],
  randomShape: (random) => ({
    ...randomTokenRows(random),
    regions: 1,
    batch: 1 + random.integer(300),
    columns: 1 + random.integer(40),
    accumulate: random.integer(2) === 1,
  }),
  inputs: (shape) => ({ x: { shape: tokenShape(shape) } }),
  outputs: (shape) => {
    const size = slabSize(shape);
    return { out: { shape: [size / shape.columns, shape.columns], initial: normals(size) } };
  },
  run: (runtime, shape, { x }, { out }) => {
    const slabs = x!.reshape([shape.batch, shape.tokens, shape.columns]);
    const first = shape.view === 'locals' ? 1 : 0;
    const view = slabs.slice(1, first, first + slabSize(shape) / shape.columns);
    sumLeading(runtime, { x: view, out: out!, accumulate: shape.accumulate });
  },
  reference: (shape, { x, out }) => {
    const sum = sumLeadingReference(gatherRows(x!, tokenLayout(shape)), shape.batch);
    return { out: shape.accumulate ? addArrays(sum, out!) : sum };
  },
  referenceBackward: (shape, { x }, { out }) => {
    const layout = tokenLayout(shape);
    const gradient = Float64Array.from(
      { length: layout.rows * layout.columns },
      (_, i) => out![i % out!.length]!,
    );
    return { x: scatterRows(new Float64Array(x!.length), layout, gradient) };
  },
  movesMore: 'parts',
  cost: (shape) => sumLeadingCost(shape.batch, slabSize(shape), { accumulate: shape.accumulate ?? false }),
});

function slabSize(shape: TokenRows): number {
  const { rows, columns } = tokenLayout(shape);
  return (rows * columns) / shape.batch;
}

interface FillShape extends TokenRows {
  readonly value: number;
}

const fillCases: readonly KernelCase<FillShape>[] = [
  {
    name: 'one element',
    kind: 'edge',
    shape: { batch: 1, regions: 1, tokens: 1, columns: 1, view: 'all', value: 1 },
  },
  {
    name: 'local rows',
    kind: 'edge',
    shape: { batch: 2, regions: 3, tokens: 7, columns: 257, view: 'locals', value: -0.5 },
  },
  {
    name: 'gradient of representative tokens',
    kind: 'model',
    shape: { batch: 1, regions: 8, tokens: 101, columns: 512, view: 'representatives', value: 0 },
  },
];

export const fillKernel = defineKernel<FillShape>({
  name: 'fill',
  summary: 'out = value, in rows of any stride',
  variants: fillVariants,
  cases: fillCases,
  randomShape: (random) => ({ ...randomTokenRows(random), value: random.integer(9) - 4 }),
  inputs: () => ({}),
  outputs: (shape) => ({ out: { shape: tokenShape(shape), initial: normals(product(tokenShape(shape))) } }),
  run: (runtime, shape, _inputs, { out }) =>
    fill(runtime, { out: viewTokens(out!, shape), value: shape.value }),
  reference: (shape, { out }) => {
    const layout = tokenLayout(shape);
    return {
      out: scatterRows(out!, layout, new Float64Array(layout.rows * layout.columns).fill(shape.value)),
    };
  },
  cost: (shape) => fillCost(tokenLayout(shape).rows * shape.columns),
  tolerance: 0,
});
