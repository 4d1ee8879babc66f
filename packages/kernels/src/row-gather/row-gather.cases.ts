import { defineKernel, type KernelCase, type Random } from '../kernel-spec.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import { gatherRows, hostView, scatterRows } from '../testing/views.js';
import { rowGather, rowGatherCost, rowGatherVariants, rowScatter, rowScatterCost } from './row-gather.js';
import { rowGatherReference, rowScatterReference, type GatherExtents } from './row-gather.reference.js';

/** Both row arrays have `margin` rows in front of each group that do not belong to the view. */
interface GatherShape extends GatherExtents {
  readonly margin: number;
  /** Scatter only: add to what is there. */
  readonly accumulate?: boolean;
}

const cases: readonly KernelCase<GatherShape>[] = [
  {
    name: 'tiny',
    kind: 'tiny',
    shape: { groups: 2, entries: 5, picks: 3, columns: 3, margin: 1, accumulate: true },
  },
  { name: 'one element', kind: 'edge', shape: { groups: 1, entries: 1, picks: 1, columns: 1, margin: 0 } },
  { name: 'odd width', kind: 'edge', shape: { groups: 3, entries: 101, picks: 7, columns: 257, margin: 2 } },
  {
    name: 'visible tokens',
    kind: 'model',
    shape: { groups: 1, entries: 800, picks: 80, columns: 512, margin: 0 },
  },
  {
    name: 'decoder tokens into their places',
    kind: 'model',
    shape: { groups: 1, entries: 800, picks: 720, columns: 384, margin: 0, accumulate: true },
  },
];

function randomShape(random: Random): GatherShape {
  const entries = 1 + random.integer(20);
  return {
    groups: 1 + random.integer(4),
    entries,
    picks: 1 + random.integer(entries),
    columns: 1 + random.integer(60),
    margin: random.integer(3),
    accumulate: random.integer(2) === 1,
  };
}

function entryShape({ groups, entries, columns, margin }: GatherShape): readonly number[] {
  return [groups, margin + entries, columns];
}

function pickShape({ groups, picks, columns, margin }: GatherShape): readonly number[] {
  return [groups, margin + picks, columns];
}

function withoutMargin(array: GpuArray, margin: number): GpuArray {
  return array.slice(1, margin, array.shape[1]!);
}

function layoutOf(shape: readonly number[], margin: number) {
  return withoutMargin(hostView(shape), margin).rows();
}

/** For each group, a draw without repetition (the first picks of a shuffle). */
function distinctIndices({ groups, entries, picks }: GatherShape) {
  return (random: Random) =>
    Uint32Array.from(
      Array.from({ length: groups }, () => {
        const order = Array.from({ length: entries }, (_, i) => i);
        for (let i = 0; i < picks; i++) {
          const j = i + random.integer(entries - i);
          [order[i], order[j]] = [order[j]!, order[i]!];
        }
        return order.slice(0, picks);
      }).flat(),
    );
}

function indexSpec(shape: GatherShape) {
  return { shape: [shape.groups, shape.picks], dtype: 'u32' as const, fill: distinctIndices(shape) };
}

function sentinels(shape: readonly number[]) {
  const count = shape.reduce((a, b) => a * b, 1);
  return (random: Random) => Float32Array.from({ length: count }, () => random.normal());
}

export const rowGatherKernel = defineKernel<GatherShape>({
  name: 'row-gather',
  summary: 'out[g, i] = x[g, indices[g, i]]',
  variants: rowGatherVariants,
  cases,
  randomShape,
  inputs: (shape) => ({ x: { shape: entryShape(shape) }, indices: indexSpec(shape) }),
  outputs: (shape) => ({ out: { shape: pickShape(shape), initial: sentinels(pickShape(shape)) } }),
  run: (runtime, { margin }, { x, indices }, { out }) =>
    rowGather(runtime, { x: withoutMargin(x!, margin), indices: indices!, out: withoutMargin(out!, margin) }),
  reference: (shape, { x, indices, out }) => {
    const packed = gatherRows(x!, layoutOf(entryShape(shape), shape.margin));
    const picked = rowGatherReference(shape, packed, indices!);
    return { out: scatterRows(out!, layoutOf(pickShape(shape), shape.margin), picked) };
  },
  referenceBackward: (shape, { x, indices }, { out }) => {
    const layout = layoutOf(entryShape(shape), shape.margin);
    const dOut = gatherRows(out!, layoutOf(pickShape(shape), shape.margin));
    const zeros = new Float64Array(layout.rows * layout.columns);
    const gradient = rowScatterReference(shape, dOut, indices!, zeros, true);
    return { x: scatterRows(new Float64Array(x!.length), layout, gradient) };
  },
  cost: ({ groups, picks, columns }) => rowGatherCost(groups * picks, columns),
  tolerance: 0,
});

export const rowScatterKernel = defineKernel<GatherShape>({
  name: 'row-scatter',
  summary: 'out[g, indices[g, i]] = x[g, i], or added: the backward of row-gather',
  variants: rowGatherVariants,
  cases,
  randomShape,
  inputs: (shape) => ({ x: { shape: pickShape(shape) }, indices: indexSpec(shape) }),
  outputs: (shape) => ({ out: { shape: entryShape(shape), initial: sentinels(entryShape(shape)) } }),
  run: (runtime, { margin, accumulate }, { x, indices }, { out }) =>
    rowScatter(runtime, {
      x: withoutMargin(x!, margin),
      indices: indices!,
      out: withoutMargin(out!, margin),
      accumulate,
    }),
  reference: (shape, { x, indices, out }) => {
    const layout = layoutOf(entryShape(shape), shape.margin);
    const packed = gatherRows(x!, layoutOf(pickShape(shape), shape.margin));
    const before = gatherRows(out!, layout);
    const after = rowScatterReference(shape, packed, indices!, before, shape.accumulate ?? false);
    return { out: scatterRows(out!, layout, after) };
  },
  referenceBackward: (shape, { x, indices }, { out }) => {
    const layout = layoutOf(pickShape(shape), shape.margin);
    const dOut = gatherRows(out!, layoutOf(entryShape(shape), shape.margin));
    return { x: scatterRows(new Float64Array(x!.length), layout, rowGatherReference(shape, dOut, indices!)) };
  },
  cost: ({ groups, picks, columns, accumulate }) =>
    rowScatterCost(groups * picks, columns, accumulate ?? false),
  tolerance: 1e-6,
});
