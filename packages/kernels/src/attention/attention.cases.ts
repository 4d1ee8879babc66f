import { defineKernel, type KernelCase, type Random } from '../kernel-spec.js';
import { attention, attentionCost, attentionVariants } from './attention.js';
import type { AttentionExtents } from './attention-layout.js';
import {
  attentionBackwardReference,
  attentionReference,
  type AttentionShape,
} from './attention.reference.js';

/** A case of the tests: extents, and how large the scores are. */
export interface AttentionCaseShape extends AttentionShape {
  /** Standard deviation of q and k; default 1. 0 makes all scores equal. */
  readonly spread?: number;
  /** Of all but statistics; default f32. */
  readonly dtype?: 'f32' | 'f16';
}

type Size = readonly [groups: number, queries: number, keys: number, heads: number, headDimension: number];

function shapeOf([groups, queries, keys, heads, headDimension]: Size): AttentionCaseShape {
  return { groups, queries, keys, heads, headDimension };
}

export const attentionCases: readonly KernelCase<AttentionCaseShape>[] = [
  { name: 'one query, one key', kind: 'tiny', shape: shapeOf([1, 1, 1, 1, 16]) },
  {
    name: 'tiny, channels in fours, own scale',
    kind: 'tiny',
    shape: { ...shapeOf([2, 5, 7, 2, 16]), scale: 1.25 },
  },
  { name: 'tiny, head dimension 10', kind: 'tiny', shape: shapeOf([1, 7, 3, 2, 10]) },
  { name: 'head dimension 3', kind: 'edge', shape: shapeOf([1, 7, 3, 2, 3]) },
  { name: '7 queries, 257 keys', kind: 'edge', shape: shapeOf([1, 7, 257, 2, 16]) },
  { name: '257 queries, 1 key', kind: 'edge', shape: shapeOf([1, 257, 1, 2, 16]) },
  { name: '1 query, 101 keys, head dimension 128', kind: 'edge', shape: shapeOf([2, 1, 101, 1, 128]) },
  { name: 'head dimension 10', kind: 'edge', shape: shapeOf([1, 33, 65, 1, 10]) },
  { name: 'head dimension 64', kind: 'edge', shape: shapeOf([1, 33, 65, 1, 64]) },
  { name: 'scores up to ±80', kind: 'edge', shape: { ...shapeOf([1, 101, 101, 2, 16]), spread: 4 } },
  { name: 'equal scores', kind: 'edge', shape: { ...shapeOf([1, 9, 101, 1, 16]), spread: 0 } },
  { name: 'window of 3 keys', kind: 'edge', shape: shapeOf([2, 9, 3, 3, 16]) },
  { name: 'window of 4 keys and queries', kind: 'edge', shape: shapeOf([3, 4, 4, 1, 16]) },
  { name: 'window of 8 keys, 1 query', kind: 'edge', shape: shapeOf([1, 1, 8, 2, 64]) },
  { name: 'window of 9 keys, head dimension 10', kind: 'edge', shape: shapeOf([2, 19, 9, 2, 10]) },
  { name: 'window of 11 keys, head dimension 7', kind: 'edge', shape: shapeOf([1, 10, 11, 2, 7]) },
  { name: 'window of 16 keys', kind: 'edge', shape: shapeOf([1, 17, 16, 3, 64]) },
  { name: 'window of 16 keys, head dimension 127', kind: 'edge', shape: shapeOf([1, 8, 16, 1, 127]) },
  { name: 'window of 6 keys, head dimension 128', kind: 'edge', shape: shapeOf([1, 11, 6, 2, 128]) },
  { name: 'window, scores up to ±80', kind: 'edge', shape: { ...shapeOf([2, 11, 11, 2, 64]), spread: 4 } },
  { name: '17 keys, no window', kind: 'edge', shape: shapeOf([1, 16, 17, 2, 16]) },
  { name: 'window of 128 queries', kind: 'edge', shape: shapeOf([1, 128, 5, 2, 16]) },
  { name: '129 queries, no window', kind: 'edge', shape: shapeOf([1, 129, 5, 2, 16]) },
  { name: 'window of 6 keys, head dimension 24', kind: 'edge', shape: shapeOf([1, 128, 6, 2, 24]) },
  { name: 'f16, 33 queries, 65 keys', kind: 'edge', shape: { ...shapeOf([2, 33, 65, 1, 16]), dtype: 'f16' } },
  {
    name: 'f16, window of 11 keys',
    kind: 'edge',
    shape: { ...shapeOf([2, 11, 11, 2, 16]), dtype: 'f16' },
    // Σ dOut·out is of sixteen terms, whose `out` is rounded; variants that make it of p and dp see it unrounded.
    termSizes: { dq: 4, dk: 4 },
  },
  { name: 'f16, 130 queries, 5 keys', kind: 'edge', shape: { ...shapeOf([1, 130, 5, 2, 7]), dtype: 'f16' } },
  { name: '800 tokens, one head', kind: 'edge', shape: shapeOf([1, 800, 800, 1, 64]) },
  { name: 'LGI-Former base, local, fine-tuning', kind: 'model', shape: shapeOf([8, 101, 101, 8, 64]) },
  { name: 'LGI-Former base, local, pre-training', kind: 'model', shape: shapeOf([8, 11, 11, 8, 64]) },
  { name: 'LGI-Former base, inter-region', kind: 'model', shape: shapeOf([1, 8, 8, 8, 64]) },
  { name: 'LGI-Former base, local-global, fine-tuning', kind: 'model', shape: shapeOf([1, 800, 8, 8, 64]) },
  { name: 'LGI-Former base, local-global, pre-training', kind: 'model', shape: shapeOf([1, 80, 8, 8, 64]) },
  { name: 'decoder', kind: 'model', shape: shapeOf([1, 800, 800, 6, 64]) },
  {
    name: 'LGI-Former base, local, fine-tuning, f16',
    kind: 'model',
    shape: { ...shapeOf([8, 101, 101, 8, 64]), dtype: 'f16' },
  },
  { name: 'ViT base', kind: 'model', shape: shapeOf([1, 800, 800, 12, 64]) },
];

/**
 * On matrix units a weight p, and a ds, is rounded to f16 besides the inputs, by 2⁻¹¹ of itself at most: `out` errs by
 * up to 2⁻¹¹ · Σⱼ pⱼ|vⱼ|, and a gradient by as much of the sum of its terms' sizes. For normal numbers such sums are at
 * most about twice the largest result, or 1, which errors are measured against: 2⁻¹⁰. logSumExp errs as ever.
 */
export const toleranceF16 = 2 ** -10;

const headDimensions = [1, 3, 8, 16, 24, 32, 40, 64];

export function randomShape(random: Random): AttentionCaseShape {
  return shapeOf([
    1 + random.integer(3),
    1 + random.integer(70),
    1 + random.integer(70),
    1 + random.integer(3),
    headDimensions[random.integer(headDimensions.length)]!,
  ]);
}

export function arraysOf({
  groups,
  queries,
  keys,
  heads,
  headDimension,
  spread = 1,
  dtype,
}: AttentionCaseShape) {
  const channels = heads * headDimension;
  const scaled = (random: Random, count: number) =>
    Float32Array.from({ length: count }, () => spread * random.normal());
  const qShape = [groups, queries, channels];
  const kvShape = [groups, keys, channels];
  return {
    q: { shape: qShape, dtype, fill: (random: Random) => scaled(random, groups * queries * channels) },
    k: { shape: kvShape, dtype, fill: (random: Random) => scaled(random, groups * keys * channels) },
    v: { shape: kvShape, dtype },
    out: { shape: qShape, dtype },
    logSumExp: { shape: [groups, heads, queries] },
  };
}

export function extentsOf({
  groups,
  queries,
  keys,
  heads,
  headDimension,
  dtype = 'f32',
}: AttentionCaseShape): AttentionExtents {
  return { groups, queries, keys, heads, channels: heads * headDimension, dtype };
}

export const attentionKernel = defineKernel<AttentionCaseShape>({
  name: 'attention',
  summary: 'out = softmax(scale · Q·Kᵀ) · V by groups and heads, strided views, probabilities not stored',
  variants: attentionVariants,
  cases: attentionCases,
  randomShape,
  withClips: (shape, clips) => ({ ...shape, groups: clips * shape.groups }),
  inputs: (shape) => {
    const { q, k, v } = arraysOf(shape);
    return { q, k, v };
  },
  outputs: (shape) => {
    const { out, logSumExp } = arraysOf(shape);
    return { out, logSumExp };
  },
  run: (runtime, { heads, scale }, { q, k, v }, { out, logSumExp }) =>
    attention(runtime, { q: q!, k: k!, v: v!, out: out!, logSumExp, heads, scale }),
  reference: (shape, { q, k, v }) => ({ ...attentionReference(shape, q!, k!, v!) }),
  referenceBackward: (shape, { q, k, v }, { out, logSumExp }) =>
    attentionBackwardReference(shape, q!, k!, v!, out!, logSumExp),
  cost: (shape) => attentionCost(extentsOf(shape), true),
  roundedInputs: ['q', 'k', 'v'],
  toleranceF16,
});
