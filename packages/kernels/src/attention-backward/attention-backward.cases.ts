import {
  arraysOf,
  attentionCases,
  extentsOf,
  randomShape,
  toleranceF16,
  type AttentionCaseShape,
} from '../attention/attention.cases.js';
import { attentionBackwardGiven, attentionReference } from '../attention/attention.reference.js';
import { defineKernel, type ArraySpec, type Random } from '../kernel-spec.js';
import type { DType } from '../runtime/gpu-array.js';
import { attentionBackwardCost } from './attention-backward-cost.js';
import { attentionBackward, attentionBackwardVariants } from './attention-backward.js';

export const attentionBackwardKernel = defineKernel<AttentionCaseShape>({
  name: 'attention-backward',
  summary: 'dq, dk and dv of attention from its log-sum-exp, probabilities made again, no atomics',
  variants: attentionBackwardVariants,
  cases: attentionCases,
  randomShape,
  withClips: (shape, clips) => ({ ...shape, groups: clips * shape.groups }),
  inputs: backwardInputs,
  outputs: (shape) => {
    const { q, k, v } = arraysOf(shape);
    const { dtype } = q;
    return { dq: { shape: q.shape, dtype }, dk: { shape: k.shape, dtype }, dv: { shape: v.shape, dtype } };
  },
  run: (runtime, { heads, scale }, { q, k, v, out, logSumExp, dOut }, { dq, dk, dv }) =>
    attentionBackward(runtime, {
      q: q!,
      k: k!,
      v: v!,
      out: out!,
      logSumExp: logSumExp!,
      dOut: dOut!,
      dq: dq!,
      dk: dk!,
      dv: dv!,
      heads,
      scale,
    }),
  // A function of all its inputs: `out` and `logSumExp` are those of a forward, not of rounded q, k and v.
  reference: (shape, { q, k, v, out, logSumExp, dOut }) => {
    const gradients = attentionBackwardGiven(shape, q!, k!, v!, out!, logSumExp!, dOut!);
    return { dq: gradients.q, dk: gradients.k, dv: gradients.v };
  },
  cost: (shape) => attentionBackwardCost(extentsOf(shape)),
  movesMore: 'more',
  roundedInputs: ['q', 'k', 'v', 'dOut'],
  toleranceF16,
});

/** out and logSumExp must be those of q, k and v: filled in order, they are computed from what came before. */
function backwardInputs(shape: AttentionCaseShape): Readonly<Record<string, ArraySpec>> {
  const { q, k, v, out, logSumExp } = arraysOf(shape);
  const made: Record<string, Float64Array> = {};
  const remember = (
    name: string,
    { dtype, ...spec }: { shape: number[]; dtype?: DType; fill?: (random: Random) => Float32Array },
  ) => ({
    shape: spec.shape,
    dtype,
    fill: (random: Random) => {
      const count = spec.shape.reduce((size, extent) => size * extent, 1);
      const values = spec.fill?.(random) ?? Float32Array.from({ length: count }, () => random.normal());
      made[name] = Float64Array.from(values);
      return values;
    },
  });
  return {
    q: remember('q', q),
    k: remember('k', k),
    v: remember('v', v),
    out: {
      ...{ shape: out.shape, dtype: out.dtype },
      fill: () => {
        const result = attentionReference(shape, made['q']!, made['k']!, made['v']!);
        made['logSumExp'] = result.logSumExp;
        return Float32Array.from(result.out);
      },
    },
    logSumExp: { shape: logSumExp.shape, fill: () => Float32Array.from(made['logSumExp']!) },
    dOut: { shape: out.shape, dtype: out.dtype },
  };
}
