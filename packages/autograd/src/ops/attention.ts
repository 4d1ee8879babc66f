import { attention as attentionKernel, attentionBackward, type GpuArray } from '@tubelet/kernels';
import type { Tensor } from '../engine/tensor.js';

/** Queries, keys and values as the projections produce them: side by side in the last axis. */
export type AttentionOperands =
  | { readonly qkv: Tensor; readonly heads: number }
  | { readonly q: Tensor; readonly kv: Tensor; readonly heads: number };

/**
 * Multi-head attention softmax(Q·Kᵀ/√d)·V (Vaswani et al., 2017), probabilities never stored.
 * Either `qkv` [G, L, 3C] (columns q | k | v), or `q` [G, Lq, C] with `kv` [G, Lk, 2C] (columns k | v);
 * G groups attend independently, heads are consecutive chunks of d = C/heads columns. Result [G, Lq, C]. All are f32,
 * or all f16.
 */
export function attention(operands: AttentionOperands): Tensor {
  const { heads } = operands;
  const inputs = 'qkv' in operands ? [operands.qkv] : [operands.q, operands.kv];
  const { engine } = inputs[0]!;
  const { runtime } = engine;
  const { q, k, v } = columns(operands, (tensor) => tensor.array);
  const [groups, queries, width] = q.shape as [number, number, number];
  const out = engine.empty([groups, queries, width], q.dtype, 'attention');
  const needsGrad = engine.needsGrad(inputs);
  const logSumExp = needsGrad
    ? engine.empty([groups, heads, queries], 'f32', 'attention log-sum-exp')
    : undefined;
  attentionKernel(runtime, { q, k, v, out, logSumExp, heads });
  const y = engine.output(out, inputs, 'attention');
  if (!logSumExp) return y;
  engine.record({
    name: 'attention',
    inputs,
    outputs: [y],
    saved: [logSumExp],
    backward: (gradients) => {
      const run = (place: (tensor: Tensor) => GpuArray) => {
        const { q: dq, k: dk, v: dv } = columns(operands, place);
        attentionBackward(runtime, { q, k, v, out, logSumExp, dOut: gradients.of(y), dq, dk, dv, heads });
      };
      // Projections feed attention alone, so nothing is usually added here; `overwrite` covers the rest.
      if ('qkv' in operands) {
        gradients.overwrite(operands.qkv, (array) => run(() => array));
      } else {
        gradients.overwrite(operands.q, (dq) =>
          gradients.overwrite(operands.kv, (dkv) => run((tensor) => (tensor === operands.q ? dq : dkv))),
        );
      }
    },
  });
  return y;
}

function columns(
  operands: AttentionOperands,
  arrayOf: (tensor: Tensor) => GpuArray,
): { q: GpuArray; k: GpuArray; v: GpuArray } {
  if ('qkv' in operands) {
    const array = arrayOf(operands.qkv);
    const width = operands.qkv.extent(-1) / 3;
    return {
      q: array.slice(-1, 0, width),
      k: array.slice(-1, width, 2 * width),
      v: array.slice(-1, 2 * width, 3 * width),
    };
  }
  const kv = arrayOf(operands.kv);
  const width = operands.kv.extent(-1) / 2;
  return { q: arrayOf(operands.q), k: kv.slice(-1, 0, width), v: kv.slice(-1, width, 2 * width) };
}
