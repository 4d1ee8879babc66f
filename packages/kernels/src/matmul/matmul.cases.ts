import { defineKernel, type ArraySpec, type HostArrays, type Random } from '../kernel-spec.js';
import { product, type DType, type GpuArray, type RowLayout } from '../runtime/gpu-array.js';
import { normals } from '../testing/random.js';
import { gatherRows, hostView, scatterRows } from '../testing/views.js';
import { matmul, matmulCost, matmulVariants } from './matmul.js';
import {
  epilogueBackwardReference,
  epilogueReference,
  productBackwardReference,
  productReference,
  type EpilogueReference,
} from './matmul.reference.js';
import { matmulCases, randomProduct, type Half, type MatmulShape, type Placement } from './matmul.shapes.js';

export const matmulKernel = defineKernel<MatmulShape>({
  name: 'matmul',
  summary:
    'out = epilogue(α · op(A)·op(B)): row factors of A, bias, GELU, GELU′, row scale, residual, accumulate, row sums of A',
  variants: matmulVariants,
  roundedInputs: ['a', 'b'],
  unroundedOutputs: ['rowSums'],
  cases: matmulCases,
  randomShape: randomProduct,
  // Tokens are the rows of activations; weight gradients are sums over them.
  withClips: (shape, clips) =>
    shape.form === 'TN' ? { ...shape, k: clips * shape.k } : { ...shape, m: clips * shape.m },
  inputs: (shape) => {
    const { m, n, groups = 1, rowsPerScale = 1, epilogue = [] } = shape;
    const [aRows, aColumns, bRows, bColumns] = storedExtents(shape);
    const outShape = bufferShape(shape.outPlacement, groups * m, n);
    const specs: Record<string, ArraySpec> = {
      a: { shape: bufferShape(shape.aPlacement, groups * aRows, aColumns), dtype: dtypeIn(shape, 'a') },
      b: { shape: bufferShape(shape.bPlacement, groups * bRows, bColumns), dtype: dtypeIn(shape, 'b') },
    };
    const { rowsPerAScale } = shape;
    if (rowsPerAScale) {
      // Powers of two and zero, which no rounding of A tells apart.
      const fill = (random: Random) =>
        Float32Array.from({ length: Math.ceil((groups * aRows) / rowsPerAScale) }, (_, i) =>
          i % 3 === 1 ? 0 : 2 ** (random.integer(3) - 1),
        );
      specs.aScale = { shape: [Math.ceil((groups * aRows) / rowsPerAScale)], fill };
    }
    if (epilogue.includes('bias')) specs.bias = { shape: [n] };
    if (epilogue.includes('geluInput'))
      specs.geluInput = { shape: outShape, dtype: dtypeIn(shape, 'geluInput') };
    if (epilogue.includes('rowScale')) specs.rowScale = { shape: [Math.ceil((groups * m) / rowsPerScale)] };
    if (epilogue.includes('residual')) specs.residual = { shape: outShape };
    return specs;
  },
  outputs: (given) => {
    const { m, n, groups = 1, outPlacement, accumulate, epilogue = [], rowSums } = given;
    const shape = bufferShape(outPlacement, groups * m, n);
    const kept: ArraySpec = { shape, initial: normals(product(shape)) };
    const fresh: ArraySpec = { shape };
    const placed = outPlacement === undefined ? fresh : kept;
    const added = accumulate || epilogue.includes('residualInPlace');
    return {
      out: { ...(added ? kept : placed), dtype: dtypeIn(given, 'out') },
      ...(epilogue.includes('preActivation')
        ? { preActivation: { ...placed, dtype: dtypeIn(given, 'preActivation') } }
        : {}),
      ...(rowSums ? { rowSums: { shape: [m], initial: normals(m) } } : {}),
    };
  },
  run: (runtime, shape, inputs, outputs) => {
    const { n, groups = 1, epilogue = [], form = 'NN' } = shape;
    const [, aColumns, , bColumns] = storedExtents(shape);
    const place = (array: GpuArray | undefined) => array && view(array, shape.outPlacement, n);
    const batched = (array: GpuArray) => {
      const columns = array.shape.at(-1)!;
      return shape.groups === undefined
        ? array
        : array.reshape([groups, array.size / groups / columns, columns]);
    };
    const out = batched(place(outputs.out)!);
    matmul(runtime, {
      a: batched(view(inputs.a!, shape.aPlacement, aColumns)),
      b: batched(view(inputs.b!, shape.bPlacement, bColumns)),
      out,
      transposeA: form === 'TN',
      transposeB: form === 'NT',
      alpha: shape.alpha ?? 1,
      accumulate: shape.accumulate ?? false,
      ...(epilogue.includes('gelu') ? { activation: 'gelu' as const } : {}),
      ...(inputs.bias ? { bias: inputs.bias } : {}),
      ...(outputs.preActivation ? { preActivation: place(outputs.preActivation)! } : {}),
      ...(inputs.geluInput ? { geluInput: place(inputs.geluInput)! } : {}),
      ...(inputs.aScale ? { aScale: inputs.aScale, rowsPerAScale: shape.rowsPerAScale! } : {}),
      ...(inputs.rowScale ? { rowScale: inputs.rowScale, rowsPerScale: shape.rowsPerScale! } : {}),
      ...(inputs.residual ? { residual: place(inputs.residual)! } : {}),
      ...(epilogue.includes('residualInPlace') ? { residual: out } : {}),
      ...(shape.rowSums ? { rowSums: { out: outputs.rowSums!, ...shape.rowSums } } : {}),
    });
  },
  reference: (shape, arrays) => {
    const { a, values, epilogue, outLayout } = unpack(shape, arrays);
    const { out, preActivation } = epilogueReference(values, shape.n, epilogue);
    const size = product(bufferShape(shape.outPlacement, outLayout.rows, shape.n));
    const place = (initial: Float64Array | undefined, packed: Float64Array) =>
      scatterRows(initial ?? new Float64Array(size), outLayout, packed);
    return {
      out: place(arrays.out, out),
      ...(keeps(shape) ? { preActivation: place(arrays.preActivation, preActivation) } : {}),
      ...(shape.rowSums ? { rowSums: rowSumsReference(shape, a, arrays.rowSums!) } : {}),
    };
  },
  referenceBackward: (shape, arrays, cotangents) => {
    const { a: scaled, b: packed, values, epilogue, outLayout, extents } = unpack(shape, arrays);
    const dOut = gatherRows(cotangents.out!, outLayout);
    const dKept = cotangents.preActivation && gatherRows(cotangents.preActivation, outLayout);
    const through = epilogueBackwardReference(values, shape.n, epilogue, dOut, dKept);
    const { a, b } = productBackwardReference(extents, scaled, packed, through.product);
    if (cotangents.rowSums) {
      a.forEach((_, i) => (a[i]! += cotangents.rowSums![i % shape.m]!));
    }
    const aScale = arrays.aScale && new Float64Array(arrays.aScale.length);
    if (aScale) {
      a.forEach((gradient, i) => {
        const group = factorOf(shape, i);
        aScale[group]! += gradient * arrays.a![i]!;
        a[i] = gradient * arrays.aScale![group]!;
      });
    }
    return {
      a,
      b,
      ...(aScale ? { aScale } : {}),
      ...(arrays.bias ? { bias: through.bias } : {}),
      ...(arrays.rowScale ? { rowScale: through.rowScale } : {}),
      ...(arrays.geluInput ? { geluInput: through.geluInput } : {}),
      ...(arrays.residual ? { residual: dOut } : {}),
    };
  },
  cost: ({
    m,
    n,
    k,
    groups = 1,
    form,
    accumulate = false,
    rowsPerScale = 1,
    rowsPerAScale,
    epilogue = [],
    rowSums,
    halves = [],
  }) =>
    matmulCost(
      { groups, m, n, k },
      {
        accumulate,
        bias: epilogue.includes('bias'),
        preActivation: epilogue.includes('preActivation'),
        geluInput: epilogue.includes('geluInput'),
        rowScales: epilogue.includes('rowScale') ? Math.ceil((groups * m) / rowsPerScale) : 0,
        aScales: rowsPerAScale ? Math.ceil((groups * (form === 'TN' ? k : m)) / rowsPerAScale) : 0,
        residual: epilogue.includes('residual') || epilogue.includes('residualInPlace'),
        rowSums: rowSums !== undefined,
        addToRowSums: rowSums?.accumulate === true,
      },
      Object.fromEntries(halves.map((name) => [name, 2])),
    ),
  movesMore: 'parts',
});

function dtypeIn({ halves }: MatmulShape, name: Half): DType {
  return halves?.includes(name) ? 'f16' : 'f32';
}

function keeps({ epilogue = [] }: MatmulShape): boolean {
  return epilogue.includes('preActivation');
}

/** Rows and columns of A and of B as they are stored, in one group. */
function storedExtents({ m, n, k, form = 'NN' }: MatmulShape): readonly [number, number, number, number] {
  return [form === 'TN' ? k : m, form === 'TN' ? m : k, form === 'NT' ? n : k, form === 'NT' ? k : n];
}

function bufferShape(placement: Placement = 'packed', rows: number, columns: number): readonly number[] {
  if (placement === 'packed') return [rows, columns];
  if (placement === 'shifted') return [rows, columns + 2];
  return [rows / placement.locals, 1 + placement.locals, columns];
}

function view(array: GpuArray, placement: Placement = 'packed', columns: number): GpuArray {
  if (placement === 'packed') return array;
  if (placement === 'shifted') return array.slice(1, 1, 1 + columns);
  return array.slice(1, 1, 1 + placement.locals);
}

function layoutOf(placement: Placement | undefined, rows: number, columns: number): RowLayout {
  return view(hostView(bufferShape(placement, rows, columns)), placement, columns).rows();
}

// Everything the reference needs, packed.
function unpack(shape: MatmulShape, arrays: HostArrays) {
  const { m, n, k, groups = 1, form = 'NN', accumulate, epilogue: parts = [] } = shape;
  const [aRows, aColumns, bRows, bColumns] = storedExtents(shape);
  const outLayout = layoutOf(shape.outPlacement, groups * m, n);
  const packed = (buffer: Float64Array | undefined) => buffer && gatherRows(buffer, outLayout);
  const epilogue: EpilogueReference = {
    alpha: shape.alpha ?? 1,
    gelu: parts.includes('gelu'),
    bias: arrays.bias,
    geluInput: packed(arrays.geluInput),
    rowScale: arrays.rowScale,
    rowsPerScale: shape.rowsPerScale ?? 1,
    residual: packed(arrays.residual),
    initial: accumulate || parts.includes('residualInPlace') ? packed(arrays.out) : undefined,
  };
  const extents = { groups, m, n, k, transposeA: form === 'TN', transposeB: form === 'NT' };
  const a = gatherRows(arrays.a!, layoutOf(shape.aPlacement, groups * aRows, aColumns));
  const b = gatherRows(arrays.b!, layoutOf(shape.bPlacement, groups * bRows, bColumns));
  const { aScale } = arrays;
  if (aScale) a.forEach((value, i) => (a[i] = value * aScale[factorOf(shape, i)]!));
  return { a, b, values: productReference(extents, a, b), epilogue, outLayout, extents };
}

/** Which factor element i of packed A has. */
function factorOf(shape: MatmulShape, i: number): number {
  const [, columns] = storedExtents(shape);
  return Math.floor(Math.floor(i / columns) / shape.rowsPerAScale!);
}

/** Σ_k A[k, m] of packed A, on top of what was there where sums are added. */
function rowSumsReference(shape: MatmulShape, a: Float64Array, initial: Float64Array): Float64Array {
  const { m, k, rowSums } = shape;
  return initial.map((before, row) => {
    let sum = rowSums?.accumulate ? before : 0;
    for (let l = 0; l < k; l++) sum += a[l * m + row]!;
    return sum;
  });
}
