import type { CheckpointContent } from '../formats/checkpoint.js';

/** A checkpoint whose every value follows from `step`, large enough for several write calls. */
export function contentOfStep(step: number, elements = 1 << 20): CheckpointContent {
  const weights = Float32Array.from({ length: elements }, (_, i) => Math.sin(i + step));
  return {
    tensors: new Map([
      ['model.weight', { dtype: 'F32', shape: [elements], data: weights }],
      ['optimiser.step', { dtype: 'I64', shape: [], data: BigInt64Array.of(BigInt(step)) }],
    ]),
    metadata: { step: String(step) },
  };
}
