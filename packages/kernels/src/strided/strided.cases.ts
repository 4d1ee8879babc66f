import { defineKernel, type ArraySpec, type KernelCase, type Random } from '../kernel-spec.js';
import { contiguousStrides, GpuArray, product } from '../runtime/gpu-array.js';
import { normals } from '../testing/random.js';
import { stridedMap, stridedMapVariants } from './map.js';
import { stridedReduce, stridedReduceVariants, type Combination } from './reduce.js';
import { places, repeatingStrides } from './strided.reference.js';

/** out = a · b + c over `extents`. */
interface MapShape {
  readonly extents: readonly number[];
  /** By axis, whether a repeats along it. */
  readonly repeats: readonly boolean[];
  /** Of the axes of the output in the order in which they lie in b, first to last. */
  readonly order: readonly number[];
  readonly accumulate?: boolean;
}

/** Reduces a · b over `extents`. */
interface ReduceShape {
  readonly extents: readonly number[];
  readonly repeats: readonly boolean[];
  /** By axis, whether it is reduced. */
  readonly reduced: readonly boolean[];
  readonly combination: Combination;
  readonly accumulate?: boolean;
}

function withInitial(shape: readonly number[], accumulate = false): ArraySpec {
  return accumulate ? { shape, initial: normals(product(shape)) } : { shape };
}

const single = (extents: readonly number[], which: readonly boolean[]) =>
  extents.map((extent, axis) => (which[axis] ? 1 : extent));

/** The strides of b, whose axes lie in another order, in the order of the output. */
function orderedStrides({ extents, order }: MapShape): number[] {
  const stored = contiguousStrides(order.map((axis) => extents[axis]!));
  return extents.map((_, axis) => stored[order.indexOf(axis)]!);
}

const mapCases: readonly KernelCase<MapShape>[] = [
  {
    name: 'tiny',
    kind: 'tiny',
    shape: { extents: [2, 3, 2], repeats: [true, false, true], order: [2, 0, 1] },
  },
  { name: 'one element', kind: 'edge', shape: { extents: [], repeats: [], order: [] } },
  {
    name: 'six axes, added',
    kind: 'edge',
    shape: {
      extents: [2, 3, 1, 2, 5, 3],
      repeats: [false, true, false, true, false, true],
      order: [5, 4, 3, 2, 1, 0],
      accumulate: true,
    },
  },
  {
    name: 'tokens of the base model, a row repeated',
    kind: 'model',
    shape: { extents: [8, 101, 512], repeats: [true, true, false], order: [0, 1, 2] },
  },
  {
    name: 'heads of the base model taken apart',
    kind: 'model',
    shape: { extents: [8, 8, 101, 64], repeats: [true, true, true, false], order: [0, 2, 1, 3] },
  },
];

function randomExtents(random: Random): number[] {
  return Array.from({ length: 1 + random.integer(5) }, () => 1 + random.integer(7));
}

const coins = (count: number, random: Random) => Array.from({ length: count }, () => random.integer(2) === 1);

export const stridedMapKernel = defineKernel<MapShape>({
  name: 'strided-map',
  summary: 'an expression at every place of arrays with any strides, e.g. out = a · b + c',
  variants: stridedMapVariants,
  cases: mapCases,
  randomShape: (random) => {
    const extents = randomExtents(random);
    const keys = extents.map(() => random.uniform());
    return {
      extents,
      repeats: coins(extents.length, random),
      order: extents.map((_, axis) => axis).sort((a, b) => keys[a]! - keys[b]!),
      accumulate: random.integer(2) === 1,
    };
  },
  inputs: ({ extents, repeats, order }) => ({
    a: { shape: single(extents, repeats) },
    b: { shape: order.map((axis) => extents[axis]!) },
    c: { shape: [1] },
  }),
  outputs: ({ extents, accumulate }): Readonly<Record<string, ArraySpec>> => ({
    out: withInitial(extents, accumulate),
  }),
  run: (runtime, shape, { a, b, c }, { out }) =>
    stridedMap(runtime, {
      kernel: 'strided-map',
      inputs: {
        a: { array: a! },
        b: { array: new GpuArray(b!.storage, 'f32', shape.extents, orderedStrides(shape), b!.offset) },
        c: { array: shape.extents.length === 0 ? c!.reshape([]) : c! },
      },
      value: 'a * b + c',
      out: out!,
      accumulate: shape.accumulate ?? false,
    }),
  reference: (shape, { a, b, c, out }) => {
    const strides = [repeatingStrides(single(shape.extents, shape.repeats)), orderedStrides(shape)];
    const values = [a!, b!].map((data, i) => ({ data, strides: strides[i]! }));
    const result = [...places(shape.extents, values)].map(([x, y]) => a![x!]! * b![y!]! + c![0]!);
    return { out: Float64Array.from(result, (value, i) => value + (out?.[i] ?? 0)) };
  },
  referenceBackward: (shape, { a, b }, { out }) => {
    const strides = [repeatingStrides(single(shape.extents, shape.repeats)), orderedStrides(shape)];
    const da = new Float64Array(a!.length);
    const db = new Float64Array(b!.length);
    const values = [a!, b!].map((data, i) => ({ data, strides: strides[i]! }));
    [...places(shape.extents, values)].forEach(([x, y], i) => {
      da[x!]! += out![i]! * b![y!]!;
      db[y!]! += out![i]! * a![x!]!;
    });
    return { a: da, b: db, c: Float64Array.of(out!.reduce((sum, value) => sum + value, 0)) };
  },
  cost: ({ extents, repeats, accumulate = false }) => {
    const sizes = [product(single(extents, repeats)), product(extents), 1, accumulate ? product(extents) : 0];
    const bytesRead = 4 * sizes.reduce((sum, size) => sum + size, 0);
    return { macs: 0, flops: 0, bytesRead, bytesWritten: 4 * product(extents) };
  },
  tolerance: 1e-6,
});

const reduceCases: readonly KernelCase<ReduceShape>[] = [
  {
    name: 'tiny',
    kind: 'tiny',
    shape: {
      extents: [2, 3, 2],
      repeats: [true, false, false],
      reduced: [true, false, true],
      combination: 'sum',
    },
  },
  {
    name: 'of one element',
    kind: 'edge',
    shape: { extents: [1], repeats: [false], reduced: [true], combination: 'largest' },
  },
  {
    name: 'rows in parts, added',
    kind: 'edge',
    shape: {
      extents: [3, 131],
      repeats: [true, false],
      reduced: [false, true],
      combination: 'sum',
      accumulate: true,
    },
  },
  {
    name: 'all of it in parts of parts, smallest',
    kind: 'edge',
    shape: { extents: [37, 257], repeats: [false, true], reduced: [true, true], combination: 'smallest' },
  },
  {
    name: 'every other of six axes',
    kind: 'edge',
    shape: {
      extents: [2, 3, 2, 5, 3, 2],
      repeats: [false, false, true, false, false, false],
      reduced: [true, false, true, false, true, false],
      combination: 'largest',
    },
  },
  {
    name: 'columns of the base model, all tokens',
    kind: 'model',
    shape: { extents: [808, 512], repeats: [false, false], reduced: [true, false], combination: 'sum' },
  },
  {
    name: 'rows of the base model, all tokens',
    kind: 'model',
    shape: { extents: [808, 512], repeats: [false, false], reduced: [false, true], combination: 'sum' },
  },
];

const startOf: Readonly<Record<Combination, number>> = { sum: 0, largest: -Infinity, smallest: Infinity };
const combine: Readonly<Record<Combination, (a: number, b: number) => number>> = {
  sum: (a, b) => a + b,
  largest: Math.max,
  smallest: Math.min,
};

/** The strides of a, b and the output over all axes. */
function reduceStrides({ extents, repeats, reduced }: ReduceShape): readonly (readonly number[])[] {
  const none = extents.map(() => false);
  return [repeats, none, reduced].map((which) => repeatingStrides(single(extents, which)));
}

export const stridedReduceKernel = defineKernel<ReduceShape>({
  name: 'strided-reduce',
  summary: 'an expression summed over any axes, or its largest or smallest value, e.g. out = Σ a · b',
  variants: stridedReduceVariants,
  cases: reduceCases,
  randomShape: (random) => {
    const extents = randomExtents(random);
    return {
      extents,
      repeats: coins(extents.length, random),
      reduced: coins(extents.length, random),
      combination: (['sum', 'largest', 'smallest'] as const)[random.integer(3)]!,
      accumulate: random.integer(2) === 1,
    };
  },
  inputs: ({ extents, repeats }) => ({ a: { shape: single(extents, repeats) }, b: { shape: extents } }),
  outputs: ({ extents, reduced, accumulate }): Readonly<Record<string, ArraySpec>> => ({
    out: withInitial(single(extents, reduced), accumulate),
  }),
  run: (runtime, { combination, accumulate = false }, { a, b }, { out }) =>
    stridedReduce(runtime, {
      kernel: 'strided-reduce',
      combination,
      inputs: { a: { array: a! }, b: { array: b! } },
      value: 'a * b',
      out: out!,
      accumulate,
    }),
  reference: (shape, { a, b, out }) => {
    const values = reduceStrides(shape).map((strides) => ({ data: a!, strides }));
    const size = product(single(shape.extents, shape.reduced));
    const result = new Float64Array(size).fill(startOf[shape.combination]);
    for (const [x, y, z] of places(shape.extents, values)) {
      result[z!] = combine[shape.combination](result[z!]!, a![x!]! * b![y!]!);
    }
    return { out: result.map((value, i) => value + (out?.[i] ?? 0)) };
  },
  referenceBackward: (shape, { a, b }, { out }) => {
    const da = new Float64Array(a!.length);
    const db = new Float64Array(b!.length);
    const values = reduceStrides(shape).map((strides) => ({ data: a!, strides }));
    for (const [x, y, z] of places(shape.extents, values)) {
      da[x!]! += out![z!]! * b![y!]!;
      db[y!]! += out![z!]! * a![x!]!;
    }
    return { a: da, b: db };
  },
  cost: ({ extents, repeats, reduced, accumulate = false }) => {
    const outputs = product(single(extents, reduced));
    const read = product(single(extents, repeats)) + product(extents) + (accumulate ? outputs : 0);
    return { macs: 0, flops: product(extents), bytesRead: 4 * read, bytesWritten: 4 * outputs };
  },
  tolerance: 1e-5,
});
