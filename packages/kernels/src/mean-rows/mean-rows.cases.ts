import { defineKernel, type KernelCase, type Random } from '../kernel-spec.js';
import { product, type GpuArray } from '../runtime/gpu-array.js';
import { normals } from '../testing/random.js';
import {
  addArrays,
  gatherRows,
  randomTokenRows,
  scatterRows,
  tokenLayout,
  tokenShape,
  type TokenRows,
} from '../testing/views.js';
import {
  meanRows,
  meanRowsBackward,
  meanRowsBackwardCost,
  meanRowsBackwardVariants,
  meanRowsCost,
  meanRowsVariants,
} from './mean-rows.js';
import { meanRowsBackwardReference, meanRowsReference } from './mean-rows.reference.js';

/** The mean is taken over the rows of each clip that the view names: representatives of all regions, or all rows. */
interface MeanRowsShape extends TokenRows {
  /** Backward only: add to what dx holds. */
  readonly accumulate?: boolean;
}

const cases: readonly KernelCase<MeanRowsShape>[] = [
  {
    name: 'tiny',
    kind: 'tiny',
    shape: { batch: 2, regions: 3, tokens: 2, columns: 3, view: 'representatives' },
  },
  { name: 'one element', kind: 'edge', shape: { batch: 1, regions: 1, tokens: 1, columns: 1, view: 'all' } },
  {
    name: 'many rows of an odd width, gradients added',
    kind: 'edge',
    shape: { batch: 2, regions: 1, tokens: 101, columns: 257, view: 'locals', accumulate: true },
  },
  {
    name: 'base, representatives of a clip',
    kind: 'model',
    shape: { batch: 2, regions: 8, tokens: 101, columns: 512, view: 'representatives' },
  },
  {
    name: 'ViT, all tokens',
    kind: 'model',
    shape: { batch: 1, regions: 1, tokens: 800, columns: 384, view: 'all' },
  },
];

function randomShape(random: Random): MeanRowsShape {
  const shape = randomTokenRows(random);
  // Local rows of several regions are not at one stride, so they are not a [B, L, C] view.
  const regions = shape.view === 'locals' ? 1 : shape.regions;
  return { ...shape, regions, accumulate: random.integer(2) === 1 };
}

/** The rows of each clip that the view names, as [B, L, C]. */
function groupView(array: GpuArray, { batch, regions, tokens, columns, view }: TokenRows): GpuArray {
  if (view === 'representatives') {
    const rows = array.reshape([batch, regions, tokens * columns]);
    return rows.slice(2, 0, columns);
  }
  const rows = array.reshape([batch, regions * tokens, columns]);
  return view === 'locals' ? rows.slice(1, 1, tokens) : rows;
}

function rowsPerGroup(shape: TokenRows): number {
  return tokenLayout(shape).rows / shape.batch;
}

export const meanRowsKernel = defineKernel<MeanRowsShape>({
  name: 'mean-rows',
  summary: 'out[b] = mean over l of x[b, l], rows at any stride',
  variants: meanRowsVariants,
  cases,
  randomShape,
  inputs: (shape) => ({ x: { shape: tokenShape(shape) } }),
  outputs: (shape) => ({ out: { shape: [shape.batch, shape.columns] } }),
  run: (runtime, shape, { x }, { out }) => meanRows(runtime, { x: groupView(x!, shape), out: out! }),
  reference: (shape, { x }) => ({
    out: meanRowsReference(gatherRows(x!, tokenLayout(shape)), shape.batch, rowsPerGroup(shape)),
  }),
  referenceBackward: (shape, { x }, { out }) => {
    const gradient = meanRowsBackwardReference(out!, shape.batch, rowsPerGroup(shape));
    return { x: scatterRows(new Float64Array(x!.length), tokenLayout(shape), gradient) };
  },
  movesMore: 'parts',
  cost: (shape) => meanRowsCost(shape.batch, rowsPerGroup(shape), shape.columns),
  tolerance: 1e-6,
});

export const meanRowsBackwardKernel = defineKernel<MeanRowsShape>({
  name: 'mean-rows-backward',
  summary: 'dx[b, l] = dOut[b] / L, rows at any stride',
  variants: meanRowsBackwardVariants,
  cases,
  randomShape,
  inputs: (shape) => ({ dOut: { shape: [shape.batch, shape.columns] } }),
  outputs: (shape) => ({ dx: { shape: tokenShape(shape), initial: normals(product(tokenShape(shape))) } }),
  run: (runtime, shape, { dOut }, { dx }) =>
    meanRowsBackward(runtime, { dOut: dOut!, dx: groupView(dx!, shape), accumulate: shape.accumulate }),
  reference: (shape, { dOut, dx }) => {
    const layout = tokenLayout(shape);
    const gradient = meanRowsBackwardReference(dOut!, shape.batch, rowsPerGroup(shape));
    return {
      dx: scatterRows(
        dx!,
        layout,
        shape.accumulate ? addArrays(gatherRows(dx!, layout), gradient) : gradient,
      ),
    };
  },
  cost: (shape) =>
    meanRowsBackwardCost(shape.batch, rowsPerGroup(shape), shape.columns, shape.accumulate ?? false),
  tolerance: 1e-6,
});
