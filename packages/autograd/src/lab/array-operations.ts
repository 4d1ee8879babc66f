import { argmax, max, mean, min, sum, type ReductionOptions } from '../ops/reductions.js';
import { embedding, gather, oneHot, takeAlong } from '../ops/gather.js';
import { concat, expand, pad, patches, permute, slice, transpose } from '../ops/layout.js';
import { matmul } from '../ops/matmul.js';
import { reshape, split } from '../ops/views.js';
import type { Tensor } from '../engine/tensor.js';
import type { Example, Operation, Shape } from './operation.js';
import { broadcasting, extents, several, someAxes, whole } from './shapes.js';
import { product, Values } from './values.js';

function matmulExample(shapes: readonly Shape[]): Example {
  const asMatrices = (a: Values, b: Values) =>
    [
      a.shape.length === 1 ? a.reshape([1, ...a.shape]) : a,
      b.shape.length === 1 ? b.reshape([...b.shape, 1]) : b,
    ] as const;
  return {
    shapes,
    forward: ([a, b]) => matmul(a!, b!),
    reference: ([a, b]) => {
      const y = product(...asMatrices(a!, b!));
      const rows = a!.shape.length === 1 ? [] : [y.shape.at(-2)!];
      return y.reshape([
        ...y.shape.slice(0, -2),
        ...rows,
        ...(b!.shape.length === 1 ? [] : [y.shape.at(-1)!]),
      ]);
    },
  };
}

const products: Operation = {
  name: 'matmul',
  summary: 'matrix products of any two tensors; leading axes broadcast',
  examples: (random) => {
    const [m, k, n] = extents(random, 3, 6) as [number, number, number];
    const batched = several(4, () => {
      const [a, b] = broadcasting(random, 2) as [Shape, Shape];
      const [rows, inner, columns] = extents(random, 3, 6) as [number, number, number];
      return matmulExample([
        [...a, rows, inner],
        [...b, inner, columns],
      ]);
    });
    return [
      matmulExample([
        [m, k],
        [k, n],
      ]),
      matmulExample([
        [3, m, k],
        [k, n],
      ]),
      matmulExample([[k], [2, k, n]]),
      matmulExample([[2, m, k], [k]]),
      matmulExample([[k], [k]]),
      ...batched,
    ];
  },
  timed: matmulExample([
    [64, 101, 64],
    [64, 64, 101],
  ]),
};

function permuteExample(shape: Shape, order: readonly number[]): Example {
  return {
    shapes: [shape],
    forward: ([x]) => permute(x!, order),
    reference: ([x]) =>
      Values.build(
        order.map((axis) => shape[axis]!),
        (place) => x!.at(shape.map((_, axis) => place[order.indexOf(axis)]!)),
      ),
  };
}

const layouts: readonly Operation[] = [
  {
    name: 'permute',
    summary: 'axes in any order',
    examples: (random) =>
      several(3, () => {
        const shape = extents(random, whole(random, 1, 5), 4);
        const keys = shape.map(() => random.uniform());
        return permuteExample(
          shape,
          shape.map((_, axis) => axis).sort((a, b) => keys[a]! - keys[b]!),
        );
      }),
    timed: permuteExample([8, 808, 8, 64], [0, 2, 1, 3]),
  },
  {
    name: 'transpose',
    summary: 'two axes exchanged',
    examples: (random) => [
      {
        ...permuteExample(extents(random, 3), [0, 2, 1]),
        forward: ([x]) => transpose(x!),
      },
    ],
  },
  {
    name: 'reshape',
    summary: 'another shape of the same elements, one extent left open',
    examples: () => [
      {
        shapes: [[2, 6, 5]],
        forward: ([x]) => reshape(x!, [3, -1, 2]),
        reference: ([x]) => x!.reshape([3, 10, 2]),
      },
      {
        shapes: [[2, 6, 5]],
        forward: ([x]) => reshape(split(x!, 1, [2, 4])[1]!, [40]),
        reference: ([x]) =>
          Values.build([40], ([i]) => x!.at([Math.floor(i! / 20), 2 + Math.floor((i! % 20) / 5), i! % 5])),
      },
    ],
  },
  {
    name: 'slice',
    summary: 'part of an axis, by steps, backwards too',
    examples: () => [
      {
        shapes: [[3, 7, 2]],
        forward: ([x]) => slice(x!, 1, { start: 1, end: -1, step: 2 }),
        reference: ([x]) => Values.build([3, 3, 2], ([i, j, k]) => x!.at([i!, 1 + 2 * j!, k!])),
      },
      {
        shapes: [[5, 3]],
        forward: ([x]) => slice(x!, 0, { start: 10, end: -5, step: -2 }),
        reference: ([x]) => Values.build([2, 3], ([i, j]) => x!.at([4 - 2 * i!, j!])),
      },
    ],
    timed: {
      shapes: [[8, 808, 512]],
      forward: ([x]) => slice(x!, 2, { start: 128, end: 384 }),
      reference: ([x]) => Values.build([8, 808, 256], ([i, j, k]) => x!.at([i!, j!, k! + 128])),
    },
  },
  {
    name: 'split',
    summary: 'views of pieces of one axis',
    lacks: 'only of contiguous tensors',
    examples: () => [
      {
        shapes: [[2, 5, 3]],
        forward: ([x]) => concat(split(x!, 1, [2, 3]).reverse(), 1),
        reference: ([x]) => Values.build([2, 5, 3], ([i, j, k]) => x!.at([i!, (j! + 2) % 5, k!])),
      },
    ],
  },
  {
    name: 'concat',
    summary: 'tensors one after the other along an axis',
    examples: (random) =>
      several(2, () => {
        const [outer, inner, a, b] = extents(random, 4) as [number, number, number, number];
        return {
          shapes: [
            [outer, a, inner],
            [outer, b, inner],
          ],
          forward: (inputs) => concat(inputs, -2),
          reference: ([x, y]) =>
            Values.build([outer, a + b, inner], ([i, j, k]) =>
              j! < a ? x!.at([i!, j!, k!]) : y!.at([i!, j! - a, k!]),
            ),
        };
      }),
  },
  {
    name: 'pad',
    summary: 'one number around a tensor',
    lacks: 'no repeated or mirrored edges',
    examples: () => [
      {
        shapes: [[2, 3]],
        forward: ([x]) =>
          pad(
            x!,
            [
              [1, 0],
              [2, 1],
            ],
            { value: 0.5 },
          ),
        reference: ([x]) =>
          Values.build([3, 6], ([i, j]) => (i! >= 1 && j! >= 2 && j! < 5 ? x!.at([i! - 1, j! - 2]) : 0.5)),
      },
    ],
  },
  {
    name: 'expand',
    summary: 'axes of extent 1 repeated',
    examples: () => [
      {
        shapes: [[3, 1, 2]],
        forward: ([x]) => expand(x!, [4, 3, 5, 2]),
        reference: ([x]) => Values.build([4, 3, 5, 2], (place) => x!.at(place)),
      },
    ],
  },
  {
    name: 'patches',
    summary: 'windows of the last axes, which may overlap',
    examples: () => [
      {
        shapes: [[2, 3, 5, 7]],
        forward: ([x]) => patches(x!, { size: [2, 3], stride: [2, 1], dilation: [1, 2] }),
        reference: ([x]) =>
          Values.build([2, 2, 3, 3, 2, 3], ([b, i, j, c, u, v]) => x!.at([b!, c!, 2 * i! + u!, j! + 2 * v!])),
      },
    ],
  },
];

type Reduced = (elements: number[]) => number;

function reduction(
  name: string,
  forward: (x: Tensor, options?: ReductionOptions) => Tensor,
  reduced: Reduced,
  summary: string,
): Operation {
  const example = (shape: Shape, axes: readonly number[] | undefined, keepDims: boolean): Example => ({
    shapes: [shape],
    forward: ([x]) => forward(x!, { ...(axes ? { axes } : {}), keepDims }),
    reference: ([x]) => {
      const chosen = axes ?? shape.map((_, axis) => axis);
      const y = x!.reduce(chosen, reduced);
      return keepDims ? y : y.reshape(shape.filter((_, axis) => !chosen.includes(axis)));
    },
  });
  return {
    name,
    summary,
    examples: (random) => [
      ...several(3, (i) => {
        const shape = extents(random, whole(random, 1, 4));
        return example(shape, someAxes(random, shape), i % 2 === 0);
      }),
      example([5, 40], undefined, false),
      example([3, 131], [1], true),
    ],
    timed: example([8, 808, 512], [2], false),
  };
}

const total: Reduced = (elements) => elements.reduce((a, b) => a + b, 0);

const reductions: readonly Operation[] = [
  reduction('sum', sum, total, 'sum over any axes'),
  reduction('mean', mean, (elements) => total(elements) / elements.length, 'mean over any axes'),
  reduction('max', max, (elements) => Math.max(...elements), 'largest element over any axes'),
  reduction('min', min, (elements) => Math.min(...elements), 'smallest element over any axes'),
  {
    name: 'argmax',
    summary: 'index of the largest element along an axis, or in all of a tensor',
    isConstant: true,
    examples: (random) => {
      const shape = [...extents(random, 2), 70];
      const places: Reduced = (elements) => elements.indexOf(Math.max(...elements));
      const fill = () => random.integer(20);
      return [
        {
          shapes: [shape],
          fill,
          forward: ([x]) => argmax(x!, { axis: -1 }),
          reference: ([x]) => x!.reduce([2], places).reshape(shape.slice(0, 2)),
        },
        {
          shapes: [[4, 5]],
          forward: ([x]) => argmax(x!),
          reference: ([x]) => x!.reduce([0, 1], places).reshape([]),
        },
      ];
    },
  },
];

/** Indices of a shape below `extent`, some of them counted from the end. */
function indices(shape: Shape, extent: number, random: { integer(below: number): number }): Values {
  return Values.build(shape, () => random.integer(2 * extent) - extent);
}

const fromStart = (index: number, extent: number) => (index < 0 ? index + extent : index);

function gatherExample(shape: Shape, axis: number, ids: Values): Example {
  const result = [...shape.slice(0, axis), ...ids.shape, ...shape.slice(axis + 1)];
  return {
    shapes: [shape],
    forward: ([x], engine) => gather(x!, engine.tensor(Int32Array.from(ids.data), ids.shape), { axis }),
    reference: ([x]) =>
      Values.build(result, (place) => {
        const index = fromStart(ids.at(place.slice(axis, axis + ids.shape.length)), shape[axis]!);
        return x!.at([...place.slice(0, axis), index, ...place.slice(axis + ids.shape.length)]);
      }),
  };
}

const lookups: readonly Operation[] = [
  {
    name: 'gather',
    summary: 'slices of an axis by their indices',
    lacks: 'an index beyond the end gives NaN instead of an error',
    examples: (random) =>
      several(3, () => {
        const shape = extents(random, 3);
        const axis = random.integer(3);
        return gatherExample(
          shape,
          axis,
          indices(extents(random, whole(random, 1, 2)), shape[axis]!, random),
        );
      }),
  },
  {
    name: 'embedding',
    summary: 'rows of a table by ids that may repeat',
    examples: (random) => {
      const ids = indices([3, 6], 5, random);
      return [
        {
          ...gatherExample([5, 4], 0, ids),
          forward: ([x], engine) => embedding(x!, engine.tensor(Int32Array.from(ids.data), ids.shape)),
        },
      ];
    },
    timed: gatherExample(
      [256, 384],
      0,
      Values.build([16, 128], ([i, j]) => (i! * 31 + j! * 7) % 256),
    ),
  },
  {
    name: 'takeAlong',
    summary: 'one element along an axis for each index',
    examples: (random) =>
      several(3, () => {
        const shape = extents(random, 3);
        const axis = random.integer(3);
        const ids = indices(
          shape.map((extent, i) => (i === axis ? 3 : extent)),
          shape[axis]!,
          random,
        );
        return {
          shapes: [shape],
          forward: ([x], engine) =>
            takeAlong(x!, engine.tensor(Int32Array.from(ids.data), ids.shape), { axis }),
          reference: ([x]) =>
            Values.build(ids.shape, (place) => {
              const index = fromStart(ids.at(place), shape[axis]!);
              return x!.at(place.map((at, i) => (i === axis ? index : at)));
            }),
        };
      }),
  },
  {
    name: 'oneHot',
    summary: '1 at an index and 0 elsewhere',
    isConstant: true,
    examples: (random) => {
      const ids = indices([2, 3], 5, random);
      return [
        {
          shapes: [],
          forward: (_, engine) => oneHot(engine.tensor(Int32Array.from(ids.data), ids.shape), 5),
          reference: () =>
            Values.build([2, 3, 5], ([i, j, k]) => Number(fromStart(ids.at([i!, j!]), 5) === k)),
        },
      ];
    },
  },
];

/** Products, layouts, reductions and look-ups. */
export const arrayOperations: readonly Operation[] = [products, ...layouts, ...reductions, ...lookups];
