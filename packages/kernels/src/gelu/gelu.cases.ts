import { defineKernel, type KernelCase } from '../kernel-spec.js';
import { gelu, geluBackward, geluBackwardCost, geluCost, geluVariants } from './gelu.js';
import { geluBackwardReference, geluReference } from './gelu.reference.js';

interface GeluShape {
  readonly count: number;
}

const cases: readonly KernelCase<GeluShape>[] = [
  { name: 'one element', kind: 'edge', shape: { count: 1 } },
  { name: 'tiny', kind: 'tiny', shape: { count: 7 } },
  { name: 'not a multiple of a workgroup', kind: 'edge', shape: { count: 257 * 101 } },
  { name: 'LGI-Former base, hidden layer', kind: 'model', shape: { count: 808 * 2048 } },
];

export const geluKernel = defineKernel<GeluShape>({
  name: 'gelu',
  summary: 'y = x · Φ(x), exact (erf) form',
  variants: geluVariants,
  cases,
  randomShape: (random) => ({ count: 1 + random.integer(3000) }),
  inputs: ({ count }) => ({ x: { shape: [count], fill: wideNormals(count) } }),
  outputs: ({ count }) => ({ y: { shape: [count] } }),
  run: (runtime, _shape, { x }, { y }) => gelu(runtime, x!, y!),
  reference: (_shape, { x }) => ({ y: geluReference(x!) }),
  referenceBackward: (_shape, { x }, { y: dy }) => ({ x: geluBackwardReference(x!, dy!) }),
  cost: ({ count }) => geluCost(count),
  tolerance: 1e-6,
});

export const geluBackwardKernel = defineKernel<GeluShape>({
  name: 'gelu-backward',
  summary: 'dx = dy · (Φ(x) + x · φ(x))',
  variants: geluVariants,
  cases,
  randomShape: (random) => ({ count: 1 + random.integer(3000) }),
  inputs: ({ count }) => ({ x: { shape: [count], fill: wideNormals(count) }, dy: { shape: [count] } }),
  outputs: ({ count }) => ({ dx: { shape: [count] } }),
  run: (runtime, _shape, { x, dy }, { dx }) => geluBackward(runtime, x!, dy!, dx!),
  reference: (_shape, { x, dy }) => ({ dx: geluBackwardReference(x!, dy!) }),
  cost: ({ count }) => geluBackwardCost(count, false),
  tolerance: 1e-6,
});

// Both tails matter: a standard normal alone would hardly leave [−3, 3].
function wideNormals(count: number) {
  return (random: { normal(): number }) => Float32Array.from({ length: count }, () => 3 * random.normal());
}
