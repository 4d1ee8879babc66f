import type { KernelCase, Random } from '../kernel-spec.js';

/**
 * How a matrix lies in memory: `packed`; `tokens`, the rows after the first of every region of a buffer
 * [batch, regions, 1 + locals, columns]; or `shifted`, a window that starts one element into longer rows.
 */
export type Placement = 'packed' | 'shifted' | { readonly locals: number };

/** Arrays that may be of f16. */
export type Half = 'a' | 'b' | 'out' | 'preActivation' | 'geluInput';
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

/** The products that are tested and measured. */
export const matmulCases: readonly KernelCase<MatmulShape>[] = [
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
  { name: 'fine-tuning, projection, dX', kind: 'model', shape: { m: 808, n: 512, k: 512 } },
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
  {
    name: 'fine-tuning, projection, dW',
    kind: 'model',
    shape: { m: 512, n: 512, k: 808, form: 'TN', accumulate: true, rowSums: { accumulate: true } },
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

/** A small product whose extents are multiples of 1, 4 or 8; with eights, some arrays are of f16. */
export function randomProduct(random: Random): MatmulShape {
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
