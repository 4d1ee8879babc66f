import { defineKernel, type KernelCase } from '../kernel-spec.js';
import { product } from '../runtime/gpu-array.js';
import { normals, testRandom } from '../testing/random.js';
import {
  addArrays,
  gatherRows,
  randomTokenRows,
  scatterRows,
  tokenLayout,
  tokenRowsShape,
  tokenShape,
  viewTokens,
  type TokenRows,
} from '../testing/views.js';
import { layerNormBackward, layerNormBackwardCost } from './layer-norm-backward.js';
import { layerNorm, layerNormCost, layerNormVariants } from './layer-norm.js';
import { layerNormBackwardReference, layerNormReference } from './layer-norm.reference.js';

interface LayerNormShape extends TokenRows {
  /** Mean of the elements of x; default 0. */
  readonly mean?: number;
  /** Backward only: add to what the gradients hold. */
  readonly accumulate?: boolean;
  /** The result and its gradient are of f16. */
  readonly half?: boolean;
}

const EPSILON = 1e-6;

const cases: readonly KernelCase<LayerNormShape>[] = [
  { name: 'tiny', kind: 'tiny', shape: { batch: 1, regions: 1, tokens: 3, columns: 5, view: 'all' } },
  {
    name: 'one column',
    kind: 'edge',
    shape: { batch: 1, regions: 1, tokens: 7, columns: 1, view: 'all' },
    // g − mean(g) = 0 times 1/√ε: a compiler that fuses a multiplication into the difference leaves its rounding.
    termSizes: { dx: 1000 },
  },
  {
    name: '101 × 257',
    kind: 'edge',
    shape: { batch: 1, regions: 1, tokens: 101, columns: 257, view: 'all' },
  },
  {
    name: 'large mean, small variance',
    kind: 'edge',
    shape: { batch: 1, regions: 1, tokens: 9, columns: 384, view: 'all', mean: 30_000 },
  },
  {
    name: 'local rows, gradients added',
    kind: 'edge',
    shape: { batch: 2, regions: 3, tokens: 6, columns: 70, view: 'locals', accumulate: true },
  },
  {
    name: 'representatives',
    kind: 'model',
    shape: { batch: 1, regions: 8, tokens: 101, columns: 512, view: 'representatives' },
  },
  {
    name: 'base, all tokens',
    kind: 'model',
    shape: { batch: 1, regions: 8, tokens: 101, columns: 512, view: 'all' },
  },
  {
    name: 'base, visible tokens',
    kind: 'model',
    shape: { batch: 1, regions: 8, tokens: 11, columns: 512, view: 'all' },
  },
  {
    name: 'several chunks of rows, unaligned',
    kind: 'edge',
    shape: { batch: 1, regions: 1, tokens: 2100, columns: 7, view: 'all' },
  },
  {
    name: 'several chunks of local rows, gradients added',
    kind: 'edge',
    shape: { batch: 2, regions: 50, tokens: 12, columns: 72, view: 'locals', accumulate: true },
  },
  {
    name: 'f16, local rows, gradients added',
    kind: 'edge',
    shape: { batch: 2, regions: 3, tokens: 6, columns: 40, view: 'locals', accumulate: true, half: true },
  },
  {
    name: 'f16, unaligned',
    kind: 'edge',
    shape: { batch: 1, regions: 1, tokens: 5, columns: 7, view: 'all', half: true },
  },
  {
    name: 'base, all tokens, f16',
    kind: 'model',
    shape: { batch: 1, regions: 8, tokens: 101, columns: 512, view: 'all', half: true },
  },
  { name: 'decoder', kind: 'model', shape: { batch: 1, regions: 1, tokens: 800, columns: 384, view: 'all' } },
];

// The backward kernel's x, mean and rstd must belong together, so x comes from a generator of its own.
function inputRows(shape: LayerNormShape): Float32Array {
  return normals(product(tokenShape(shape)), shape.mean)(testRandom(3));
}

function inputStatistics(shape: LayerNormShape) {
  const x = gatherRows(Float64Array.from(inputRows(shape)), tokenLayout(shape));
  const ones = new Float64Array(shape.columns).fill(1);
  return layerNormReference(x, ones, ones, EPSILON);
}

export const layerNormKernel = defineKernel<LayerNormShape>({
  name: 'layer-norm',
  summary: 'y = (x − μ) / √(σ² + ε) · weight + bias over each row',
  variants: layerNormVariants,
  cases,
  randomShape: randomTokenRows,
  withClips: (shape, clips) => ({ ...shape, batch: clips * shape.batch }),
  inputs: (shape) => ({
    x: { shape: tokenShape(shape), fill: normals(product(tokenShape(shape)), shape.mean) },
    weight: { shape: [shape.columns] },
    bias: { shape: [shape.columns] },
  }),
  outputs: (shape) => {
    const [rows] = tokenRowsShape(shape);
    const dtype = shape.half ? ('f16' as const) : ('f32' as const);
    return {
      out: { shape: tokenRowsShape(shape), dtype },
      mean: { shape: [rows!] },
      rstd: { shape: [rows!] },
    };
  },
  run: (runtime, shape, { x, weight, bias }, { out, mean, rstd }) =>
    layerNorm(runtime, {
      x: viewTokens(x!, shape),
      weight: weight!,
      bias: bias!,
      out: out!,
      mean: mean!,
      rstd: rstd!,
    }),
  reference: (shape, { x, weight, bias }) => ({
    ...layerNormReference(gatherRows(x!, tokenLayout(shape)), weight!, bias!, EPSILON),
  }),
  referenceBackward: (shape, { x, weight }, { out, mean, rstd }) => {
    const packed = gatherRows(x!, tokenLayout(shape));
    const { dx, dWeight, dBias } = layerNormBackwardReference(packed, weight!, EPSILON, out!, mean, rstd);
    return {
      x: scatterRows(new Float64Array(x!.length), tokenLayout(shape), dx),
      weight: dWeight,
      bias: dBias,
    };
  },
  cost: (shape) => layerNormCost(tokenLayout(shape).rows, shape.columns, shape.half ? 2 : 4),
  tolerance: 2e-6,
});

export const layerNormBackwardKernel = defineKernel<LayerNormShape>({
  name: 'layer-norm-backward',
  summary: 'dx = rstd · (g − mean(g) − x̂ · mean(g · x̂)), g = dOut · weight; dWeight, dBias as ordered sums',
  variants: layerNormVariants,
  cases,
  randomShape: (random) => ({ ...randomTokenRows(random), accumulate: random.integer(2) === 1 }),
  withClips: (shape, clips) => ({ ...shape, batch: clips * shape.batch }),
  inputs: (shape) => ({
    dOut: { shape: tokenRowsShape(shape), dtype: shape.half ? 'f16' : 'f32' },
    x: { shape: tokenShape(shape), fill: () => inputRows(shape) },
    weight: { shape: [shape.columns] },
    mean: { shape: [tokenLayout(shape).rows], fill: () => Float32Array.from(inputStatistics(shape).mean) },
    rstd: { shape: [tokenLayout(shape).rows], fill: () => Float32Array.from(inputStatistics(shape).rstd) },
  }),
  // dx has the layout of x: what the view leaves out must keep its initial contents.
  outputs: (shape) => ({
    dx: { shape: tokenShape(shape), initial: normals(product(tokenShape(shape))) },
    dWeight: { shape: [shape.columns], initial: normals(shape.columns) },
    dBias: { shape: [shape.columns], initial: normals(shape.columns) },
  }),
  run: (runtime, shape, { dOut, x, weight, mean, rstd }, { dx, dWeight, dBias }) =>
    layerNormBackward(runtime, {
      dOut: dOut!,
      x: viewTokens(x!, shape),
      weight: weight!,
      mean: mean!,
      rstd: rstd!,
      dx: viewTokens(dx!, shape),
      dWeight: dWeight!,
      dBias: dBias!,
      accumulateDx: shape.accumulate ?? false,
      accumulateParameters: shape.accumulate ?? false,
    }),
  reference: (shape, inputs) => {
    const layout = tokenLayout(shape);
    const packed = gatherRows(inputs.x!, layout);
    const gradients = layerNormBackwardReference(packed, inputs.weight!, EPSILON, inputs.dOut!);
    if (!shape.accumulate) return { ...gradients, dx: scatterRows(inputs.dx!, layout, gradients.dx) };
    return {
      dx: scatterRows(inputs.dx!, layout, addArrays(gatherRows(inputs.dx!, layout), gradients.dx)),
      dWeight: addArrays(inputs.dWeight!, gradients.dWeight),
      dBias: addArrays(inputs.dBias!, gradients.dBias),
    };
  },
  cost: ({ accumulate = false, half, ...shape }) =>
    layerNormBackwardCost(
      tokenLayout(shape).rows,
      shape.columns,
      { accumulateDx: accumulate, accumulateParameters: accumulate },
      half ? 2 : 4,
    ),
  movesMore: 'more',
  tolerance: 3e-6,
});
