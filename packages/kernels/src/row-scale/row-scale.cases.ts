import { defineKernel, type KernelCase, type Random } from '../kernel-spec.js';
import { product } from '../runtime/gpu-array.js';
import { normals } from '../testing/random.js';
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
import { rowScale, rowScaleCost, rowScaleVariants } from './row-scale.js';
import { rowScaleReference } from './row-scale.reference.js';

/** `residual` and `out` are views of token buffers, x is packed; one factor a clip or one a region. */
interface RowScaleShape extends TokenRows {
  readonly scalesPer: 'clip' | 'region';
  /** `in place`: the residual is `out` itself. */
  readonly residual: 'none' | 'separate' | 'in place';
  readonly accumulate?: boolean;
  /** `out` is of f16. */
  readonly half?: boolean;
}

const cases: readonly KernelCase<RowScaleShape>[] = [
  {
    name: 'tiny',
    kind: 'tiny',
    shape: {
      batch: 2,
      regions: 2,
      tokens: 3,
      columns: 3,
      view: 'locals',
      scalesPer: 'region',
      residual: 'separate',
    },
  },
  {
    name: 'one element',
    kind: 'edge',
    shape: { batch: 1, regions: 1, tokens: 1, columns: 1, view: 'all', scalesPer: 'clip', residual: 'none' },
  },
  {
    name: 'representatives in place',
    kind: 'edge',
    shape: {
      batch: 3,
      regions: 4,
      tokens: 5,
      columns: 101,
      view: 'representatives',
      scalesPer: 'clip',
      residual: 'in place',
    },
  },
  {
    name: 'added to a third array',
    kind: 'edge',
    shape: {
      batch: 2,
      regions: 3,
      tokens: 7,
      columns: 36,
      view: 'locals',
      scalesPer: 'region',
      residual: 'separate',
      accumulate: true,
    },
  },
  {
    name: 'into f16',
    kind: 'edge',
    shape: {
      ...{ batch: 2, regions: 3, tokens: 5, columns: 36, view: 'all', scalesPer: 'region', residual: 'none' },
      half: true,
    },
  },
  {
    name: 'base, all tokens, one factor a region',
    kind: 'model',
    shape: {
      batch: 1,
      regions: 8,
      tokens: 101,
      columns: 512,
      view: 'all',
      scalesPer: 'region',
      residual: 'in place',
    },
  },
];

function randomShape(random: Random): RowScaleShape {
  const residual = (['none', 'separate', 'in place'] as const)[random.integer(3)]!;
  return {
    ...randomTokenRows(random),
    scalesPer: random.integer(2) === 1 ? 'clip' : 'region',
    residual,
    accumulate: residual !== 'in place' && random.integer(2) === 1,
  };
}

function rowsPerScale(shape: RowScaleShape): number {
  return tokenLayout(shape).rows / scaleCount(shape);
}

function scaleCount({ batch, regions, scalesPer }: RowScaleShape): number {
  return scalesPer === 'clip' ? batch : batch * regions;
}

// Half of the paths dropped, the others scaled up: the numbers that drop path uses.
function dropPathScales(count: number) {
  return (random: Random) => Float32Array.from({ length: count }, () => (random.uniform() < 0.5 ? 0 : 2));
}

export const rowScaleKernel = defineKernel<RowScaleShape>({
  name: 'row-scale',
  summary: 'out[r] = residual[r] + scale[r / rowsPerScale] · x[r]  (drop path)',
  variants: rowScaleVariants,
  cases,
  randomShape,
  inputs: (shape) => ({
    x: { shape: tokenRowsShape(shape) },
    scale: {
      shape: [scaleCount(shape)],
      fill: shape.batch === 2 ? normals(scaleCount(shape)) : dropPathScales(scaleCount(shape)),
    },
    ...(shape.residual === 'separate' && { residual: { shape: tokenShape(shape) } }),
  }),
  outputs: (shape) => ({
    out: {
      shape: tokenShape(shape),
      dtype: shape.half ? 'f16' : 'f32',
      initial: normals(product(tokenShape(shape))),
    },
  }),
  run: (runtime, shape, { x, scale, residual }, { out }) =>
    rowScale(runtime, {
      x: x!,
      scale: scale!,
      rowsPerScale: rowsPerScale(shape),
      residual: shape.residual === 'none' ? undefined : viewTokens(residual ?? out!, shape),
      out: viewTokens(out!, shape),
      accumulate: shape.accumulate,
    }),
  reference: (shape, { x, scale, residual, out }) => {
    const layout = tokenLayout(shape);
    const previous = gatherRows(out!, layout);
    const added = residual
      ? gatherRows(residual, layout)
      : shape.residual === 'in place'
        ? previous
        : undefined;
    const rows = rowScaleReference(x!, scale!, rowsPerScale(shape), shape.columns, added);
    return { out: scatterRows(out!, layout, shape.accumulate ? addArrays(rows, previous) : rows) };
  },
  referenceBackward: (shape, { scale, residual }, { out }) => {
    const layout = tokenLayout(shape);
    const dOut = gatherRows(out!, layout);
    const gradients: Record<string, Float64Array> = {
      x: rowScaleReference(dOut, scale!, rowsPerScale(shape), shape.columns),
    };
    if (residual) gradients.residual = scatterRows(new Float64Array(residual.length), layout, dOut);
    return gradients;
  },
  cost: (shape) =>
    rowScaleCost(tokenLayout(shape).rows, shape.columns, rowsPerScale(shape), {
      hasResidual: shape.residual === 'separate',
      accumulate: (shape.accumulate ?? false) || shape.residual === 'in place',
      outBytes: shape.half ? 2 : 4,
    }),
  tolerance: 1e-6,
});
