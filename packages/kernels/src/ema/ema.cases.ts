import { defineKernel, type KernelCase } from '../kernel-spec.js';
import { normals } from '../testing/random.js';
import { emaCost, emaUpdate, emaVariants } from './ema.js';
import { emaReference } from './ema.reference.js';

interface EmaShape {
  readonly count: number;
  readonly decay: number;
  /** Whether the step that is known of was skipped; undefined where none is. */
  readonly skipped?: boolean;
}

const cases: readonly KernelCase<EmaShape>[] = [
  { name: 'one element', kind: 'edge', shape: { count: 1, decay: 0.5 } },
  { name: 'decay 0: the values themselves', kind: 'edge', shape: { count: 40, decay: 0 } },
  { name: 'not a multiple of four', kind: 'edge', shape: { count: 257 * 101, decay: 0.99 } },
  { name: 'a step that was taken', kind: 'edge', shape: { count: 300, decay: 0.5, skipped: false } },
  { name: 'a step that was skipped', kind: 'edge', shape: { count: 300, decay: 0.5, skipped: true } },
  { name: 'a million parameters', kind: 'model', shape: { count: 1_000_192, decay: 0.9999 } },
];

export const emaKernel = defineKernel<EmaShape>({
  name: 'ema',
  summary: 'exponential moving average of weights over a flat bank, in place',
  variants: emaVariants,
  cases,
  randomShape: (random) => ({ count: 1 + random.integer(3000), decay: random.uniform() }),
  inputs: ({ count, skipped }) => ({
    values: { shape: [count] },
    ...(skipped !== undefined && {
      step: { shape: [4], fill: () => Float32Array.of(1, 1, 1, Number(skipped)) },
    }),
  }),
  outputs: ({ count }) => ({
    average: {
      shape: [count],
      initial: normals(count),
    },
  }),
  run: (runtime, { decay }, { values, step }, { average }) =>
    emaUpdate(runtime, { average: average!, values: values!, decay, step }),
  reference: ({ decay, skipped = false }, { values, average }) => ({
    average: skipped ? average! : emaReference(average!, values!, decay),
  }),
  cost: ({ count, skipped }) => emaCost(count, { hasStep: skipped !== undefined }),
  tolerance: 1e-6,
});
