import { defineKernel, type KernelCase } from '../kernel-spec.js';
import { gradientNorm, gradientNormCost, gradientNormVariants } from './gradient-norm.js';
import { gradientNormReference } from './gradient-norm.reference.js';

interface NormShape {
  /** Elements of each bank. */
  readonly counts: readonly number[];
  /** Every so many elements one is not finite; 0: none. */
  readonly nonFiniteEvery?: number;
}

const cases: readonly KernelCase<NormShape>[] = [
  { name: 'one element', kind: 'edge', shape: { counts: [1] } },
  { name: 'three banks', kind: 'edge', shape: { counts: [257 * 101, 4096, 7] } },
  { name: 'with NaN and infinities', kind: 'edge', shape: { counts: [5000, 300], nonFiniteEvery: 101 } },
  { name: 'two million elements', kind: 'model', shape: { counts: [2_000_000] } },
];

const bankNames = ({ counts }: NormShape) => counts.map((_, i) => `bank${i}`);

export const gradientNormKernel = defineKernel<NormShape>({
  name: 'gradient-norm',
  summary: 'global L2 norm of gradients and a count of non-finite elements',
  variants: gradientNormVariants,
  cases,
  randomShape: (random) => ({
    counts: Array.from({ length: 1 + random.integer(3) }, () => 1 + random.integer(9000)),
  }),
  inputs: ({ counts, nonFiniteEvery = 0 }) =>
    Object.fromEntries(
      counts.map((count, bank) => [
        `bank${bank}`,
        {
          shape: [count],
          fill: (random) =>
            Float32Array.from({ length: count }, (_, i) =>
              nonFiniteEvery > 0 && i % nonFiniteEvery === 0
                ? [NaN, Infinity, -Infinity][i % 3]!
                : random.normal(),
            ),
        },
      ]),
    ),
  outputs: () => ({ out: { shape: [2] } }),
  run: (runtime, shape, inputs, { out }) =>
    gradientNorm(runtime, { banks: bankNames(shape).map((name) => inputs[name]!), out: out! }),
  reference: (shape, inputs) => ({
    out: gradientNormReference(bankNames(shape).map((name) => inputs[name]!)),
  }),
  cost: ({ counts }) => gradientNormCost(counts),
  tolerance: 3e-7,
});
