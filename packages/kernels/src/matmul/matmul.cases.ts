import {
  defineKernel,
  type ArraySpec,
  type HostArrays,
  type KernelCase,
  type Random,
} from '../kernel-spec.js';
import { product, type DType, type GpuArray, type RowLayout } from '../runtime/gpu-array.js';
import { gatherRows, hostView, scatterRows } from '../testing/views.js';
import { matmul, matmulCost, matmulVariants } from './matmul.js';
import {
  epilogueBackwardReference,
  epilogueReference,
  productBackwardReference,
  productReference,
  type EpilogueReference,
} from './matmul.reference.js';

/**
 * How a matrix lies in memory: `packed`; `tokens`, the rows after the first of every region of a buffer
 * [batch, regions, 1 + locals, columns]; or `shifted`, a window that starts one element into longer rows.
 */
type Placement = 'packed' | 'shifted' | { readonly locals: number };

type Half = 'a' | 'b' | 'out' | 'preActivation' | 'geluInput';
type Epilogue = 'bias' | 'gelu' | 'preActivation' | 'geluInput' | 'rowScale' | 'residual' | 'residualInPlace';

export interface MatmulShape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Default NN; the first letter is A's, T for transposed. */
  readonly form?: 'NN' | 'NT' | 'TN';
  /** Given: three axes with a batch axis in front. */
  readonly groups?: number;
  readonly alpha?: number;
  readonly accumulate?: boolean;
  readonly epilogue?: readonly Epilogue[];
  readonly rowsPerScale?: number;
  /** Given: factors of so many rows of A as it is stored. */
  readonly rowsPerAScale?: number;
  /** Given: sums of A's rows besides, with TN. */
  readonly rowSums?: { readonly accumulate?: boolean };
  readonly aPlacement?: Placement;
  readonly bPlacement?: Placement;
  /** Of out, preActivation, geluInput and residual. */
  readonly outPlacement?: Placement;
  /** Arrays that are of f16. */
  readonly halves?: readonly Half[];
}

const mlp = ['bias', 'gelu', 'preActivation'] as const;
const activations = ['a', 'out', 'preActivation', 'geluInput'] as const;
const everything = ['bias', 'gelu', 'preActivation', 'geluInput', 'rowScale', 'residual'] as const;

const cases: readonly KernelCase<MatmulShape>[] = [
  {
    name: 'tiny NN',
    kind: 'tiny',
    shape: { m: 3, n: 5, k: 7, alpha: 0.5, epilogue: everything, rowsPerScale: 2 },
  },
  {
    name: 'tiny NT',
    kind: 'tiny',
    shape: { m: 2, n: 3, k: 4, form: 'NT', accumulate: true, epilogue: ['residual'] },
  },
  { name: 'tiny TN, batched', kind: 'tiny', shape: { m: 4, n: 2, k: 3, form: 'TN', groups: 2 } },
  {
    name: 'tiny TN, row sums',
    kind: 'tiny',
    shape: { m: 5, n: 2, k: 3, form: 'TN', rowSums: {} },
  },
  { name: 'one element', kind: 'edge', shape: { m: 1, n: 1, k: 1 } },
  { name: 'one element NT', kind: 'edge', shape: { m: 1, n: 1, k: 1, form: 'NT' } },
  { name: 'primes NN', kind: 'edge', shape: { m: 101, n: 257, k: 67 } },
  { name: 'primes NT', kind: 'edge', shape: { m: 101, n: 67, k: 257, form: 'NT' } },
  { name: 'primes TN', kind: 'edge', shape: { m: 67, n: 101, k: 257, form: 'TN' } },
  {
    name: 'ragged blocks NN',
    kind: 'edge',
    shape: { m: 70, n: 68, k: 36, epilogue: ['bias', 'residualInPlace'] },
  },
  { name: 'ragged blocks NT', kind: 'edge', shape: { m: 70, n: 68, k: 36, form: 'NT', epilogue: mlp } },
  {
    name: 'ragged blocks TN',
    kind: 'edge',
    shape: { m: 68, n: 76, k: 37, form: 'TN', accumulate: true, rowSums: {} },
  },
  {
    name: 'primes TN, row sums added to',
    kind: 'edge',
    shape: { m: 67, n: 29, k: 53, form: 'TN', alpha: 0.5, rowSums: { accumulate: true } },
  },
  {
    name: 'factors of rows of A, NN',
    kind: 'edge',
    shape: { m: 60, n: 40, k: 24, rowsPerAScale: 7, aPlacement: { locals: 10 }, epilogue: ['geluInput'] },
  },
  {
    name: 'factors of rows of A, TN',
    kind: 'edge',
    shape: { m: 24, n: 20, k: 1100, form: 'TN', rowsPerAScale: 550, rowSums: {}, accumulate: true },
  },
  {
    name: 'factors of rows of A, tiny',
    kind: 'tiny',
    shape: { m: 5, n: 3, k: 2, rowsPerAScale: 2 },
  },
  {
    name: 'batched NN',
    kind: 'edge',
    shape: { m: 20, n: 12, k: 8, groups: 3, epilogue: ['bias', 'residual'] },
  },
  { name: 'batched NT', kind: 'edge', shape: { m: 5, n: 9, k: 6, form: 'NT', groups: 2 } },
  { name: 'batched NT, aligned', kind: 'edge', shape: { m: 36, n: 12, k: 8, form: 'NT', groups: 2 } },
  {
    name: 'split K TN',
    kind: 'edge',
    shape: {
      m: 24,
      n: 20,
      k: 1100,
      form: 'TN',
      accumulate: true,
      aPlacement: { locals: 10 },
      bPlacement: { locals: 10 },
      rowSums: { accumulate: true },
    },
  },
  {
    name: 'split K TN, primes',
    kind: 'edge',
    shape: { m: 23, n: 7, k: 1031, form: 'TN', rowSums: {} },
  },
  {
    name: 'split K NT',
    kind: 'edge',
    shape: { m: 7, n: 9, k: 1030, form: 'NT', epilogue: everything, rowsPerScale: 3 },
  },
  { name: 'split K, batched', kind: 'edge', shape: { m: 7, n: 8, k: 1025, groups: 2 } },
  {
    name: 'local rows to local rows NT',
    kind: 'edge',
    shape: {
      m: 60,
      n: 40,
      k: 24,
      form: 'NT',
      aPlacement: { locals: 10 },
      outPlacement: { locals: 10 },
      epilogue: everything,
      rowsPerScale: 30,
    },
  },
  {
    name: 'packed to local rows NN',
    kind: 'edge',
    shape: { m: 21, n: 36, k: 20, outPlacement: { locals: 7 }, epilogue: ['residualInPlace'] },
  },
  {
    name: 'unaligned windows',
    kind: 'edge',
    shape: {
      m: 19,
      n: 24,
      k: 32,
      form: 'NT',
      aPlacement: 'shifted',
      bPlacement: 'shifted',
      outPlacement: 'shifted',
      epilogue: mlp,
    },
  },
  {
    name: 'f16 NN, unaligned',
    kind: 'edge',
    shape: { m: 21, n: 35, k: 20, epilogue: everything, rowsPerScale: 7, halves: ['b', ...activations] },
  },
  {
    name: 'f16 NT',
    kind: 'edge',
    shape: {
      m: 60,
      n: 40,
      k: 24,
      form: 'NT',
      epilogue: mlp,
      aPlacement: { locals: 10 },
      outPlacement: { locals: 10 },
      halves: activations,
    },
  },
  {
    name: 'f16 TN, split K',
    kind: 'edge',
    shape: { m: 24, n: 20, k: 1100, form: 'TN', rowSums: {}, halves: ['a', 'b'] },
  },
  {
    name: 'f16 NN, split K',
    kind: 'edge',
    shape: { m: 12, n: 20, k: 1032, accumulate: true, halves: ['a', 'out'] },
  },
  {
    name: 'f16, rows of eights, NT',
    kind: 'edge',
    shape: {
      m: 70,
      n: 72,
      k: 40,
      form: 'NT',
      epilogue: mlp,
      aPlacement: { locals: 10 },
      outPlacement: { locals: 10 },
      halves: ['b', ...activations],
    },
  },
  {
    name: 'f16, rows of eights, NN, A in f32',
    kind: 'edge',
    shape: {
      m: 60,
      n: 40,
      k: 72,
      rowsPerAScale: 7,
      aPlacement: { locals: 10 },
      epilogue: ['geluInput'],
      halves: ['b', 'out', 'geluInput'],
    },
  },
  {
    name: 'f16, rows of eights, TN, split K',
    kind: 'edge',
    shape: {
      m: 40,
      n: 72,
      k: 1100,
      form: 'TN',
      accumulate: true,
      rowsPerAScale: 550,
      aPlacement: { locals: 10 },
      bPlacement: { locals: 10 },
      rowSums: { accumulate: true },
      halves: ['a', 'b'],
    },
  },
  {
    name: 'f16, whole blocks, NN',
    kind: 'edge',
    shape: { m: 512, n: 512, k: 64, halves: ['a', 'b', 'out'] },
  },
  {
    name: 'f16, whole blocks, TN, A in f32',
    kind: 'edge',
    shape: { m: 512, n: 512, k: 64, form: 'TN', rowSums: {}, halves: ['b'] },
  },
  {
    name: 'f16, rows of eights, batched NT',
    kind: 'edge',
    shape: { m: 20, n: 24, k: 16, form: 'NT', groups: 3, halves: ['a', 'b'] },
  },
  { name: 'LGI-Former base, representatives', kind: 'model', shape: { m: 8, n: 512, k: 512, form: 'NT' } },
  {
    name: 'pre-training, projection',
    kind: 'model',
    shape: { m: 88, n: 512, k: 512, form: 'NT', epilogue: ['bias'] },
  },
  {
    name: 'patch embedding',
    kind: 'model',
    shape: { m: 80, n: 512, k: 1536, form: 'NT', epilogue: ['bias'] },
  },
  {
    name: 'fine-tuning, projection',
    kind: 'model',
    shape: { m: 808, n: 512, k: 512, form: 'NT', epilogue: ['bias'] },
  },
  {
    name: 'fine-tuning, MLP up',
    kind: 'model',
    shape: { m: 808, n: 2048, k: 512, form: 'NT', epilogue: mlp },
  },
  {
    name: 'fine-tuning, MLP down',
    kind: 'model',
    shape: { m: 808, n: 512, k: 2048, form: 'NT', epilogue: ['bias', 'residual'] },
  },
  {
    name: 'fine-tuning, MLP down, dU',
    kind: 'model',
    shape: { m: 808, n: 2048, k: 512, epilogue: ['geluInput'] },
  },
  {
    name: 'fine-tuning, MLP up, dW',
    kind: 'model',
    shape: { m: 2048, n: 512, k: 808, form: 'TN', accumulate: true, rowSums: { accumulate: true } },
  },
  { name: 'decoder, qkv', kind: 'model', shape: { m: 800, n: 1152, k: 384, form: 'NT' } },
  {
    name: 'fine-tuning, MLP up, f16',
    kind: 'model',
    shape: { m: 808, n: 2048, k: 512, form: 'NT', epilogue: mlp, halves: ['b', ...activations] },
  },
  {
    name: 'fine-tuning, MLP down, f16',
    kind: 'model',
    shape: { m: 808, n: 512, k: 2048, form: 'NT', epilogue: ['bias', 'residual'], halves: ['a', 'b'] },
  },
  {
    name: 'fine-tuning, MLP down, dU, f16',
    kind: 'model',
    shape: { m: 808, n: 2048, k: 512, epilogue: ['geluInput'], halves: ['b', 'out', 'geluInput'] },
  },
  {
    name: 'fine-tuning, MLP up, dW, f16',
    kind: 'model',
    shape: {
      ...{ m: 2048, n: 512, k: 808, form: 'TN', accumulate: true, rowSums: { accumulate: true } },
      halves: ['a', 'b'],
    },
  },
];

export const matmulKernel = defineKernel<MatmulShape>({
  name: 'matmul',
  summary:
    'out = epilogue(α · op(A)·op(B)): row factors of A, bias, GELU, GELU′, row scale, residual, accumulate, row sums of A',
  variants: matmulVariants,
  roundedInputs: ['a', 'b'],
  unroundedOutputs: ['rowSums'],
  cases,
  randomShape,
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
    const kept: ArraySpec = { shape, initial: (random) => normals(random, product(shape)) };
    const fresh: ArraySpec = { shape };
    const placed = outPlacement === undefined ? fresh : kept;
    const added = accumulate || epilogue.includes('residualInPlace');
    return {
      out: { ...(added ? kept : placed), dtype: dtypeIn(given, 'out') },
      ...(epilogue.includes('preActivation')
        ? { preActivation: { ...placed, dtype: dtypeIn(given, 'preActivation') } }
        : {}),
      ...(rowSums ? { rowSums: { shape: [m], initial: (random: Random) => normals(random, m) } } : {}),
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

function normals(random: Random, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => random.normal());
}

function randomShape(random: Random): MatmulShape {
  const pick = <T>(values: readonly T[]): T => values[random.integer(values.length)]!;
  const form = pick(['NN', 'NT', 'TN'] as const);
  const align = pick([1, 4, 8]);
  const extent = (most: number) => align * (1 + random.integer(most / align));
  return {
    m: extent(90),
    n: extent(150),
    k: extent(120),
    form,
    alpha: pick([1, 0.5]),
    accumulate: pick([false, true]),
    epilogue: (['bias', 'gelu', 'preActivation', 'geluInput', 'residual'] as const).filter(
      () => random.uniform() < 0.4,
    ),
    ...(pick([false, true]) ? { groups: 1 + random.integer(3) } : {}),
    ...(align === 8
      ? {
          halves: pick([
            ['a', 'b'],
            ['b', 'out'],
            ['a', 'b', ...activations],
          ] as const),
        }
      : {}),
  };
}
