import { defineKernel, type KernelCase } from '../kernel-spec.js';
import { gelu, geluBackward, geluBackwardCost, geluCost, geluVariants } from './gelu.js';
import { geluBackwardReference, geluReference } from './gelu.reference.js';

interface GeluShape {
  readonly count: number;
  /** All arrays are of f16. */
  readonly half?: boolean;
}

const dtypeOf = ({ half }: GeluShape) => (half ? 'f16' : 'f32');

const cases: readonly KernelCase<GeluShape>[] = [
  { name: 'one element', kind: 'edge', shape: { count: 1 } },
  { name: 'tiny', kind: 'tiny', shape: { count: 7 } },
  { name: 'not a multiple of a workgroup', kind: 'edge', shape: { count: 257 * 101 } },
  { name: 'f16', kind: 'edge', shape: { count: 1001, half: true } },
  { name: 'LGI-Former base, hidden layer', kind: 'model', shape: { count: 808 * 2048 } },
];

export const geluKernel = defineKernel<GeluShape>({
  name: 'gelu',
  summary: 'y = x · Φ(x), exact (erf) form',
  variants: geluVariants,
  cases,
  randomShape: (random) => ({ count: 1 + random.integer(3000) }),
  inputs: (shape) => ({ x: { shape: [shape.count], dtype: dtypeOf(shape), fill: wideNormals(shape.count) } }),
  outputs: (shape) => ({ y: { shape: [shape.count], dtype: dtypeOf(shape) } }),
  run: (runtime, _shape, { x }, { y }) => gelu(runtime, x!, y!),
  reference: (_shape, { x }) => ({ y: geluReference(x!) }),
  referenceBackward: (_shape, { x }, { y: dy }) => ({ x: geluBackwardReference(x!, dy!) }),
  cost: ({ count, half }) => geluCost(count, half ? { xBytes: 2, yBytes: 2 } : {}),
  tolerance: 1e-6,
});

export const geluBackwardKernel = defineKernel<GeluShape>({
  name: 'gelu-backward',
  summary: 'dx = dy · (Φ(x) + x · φ(x))',
  variants: geluVariants,
  cases,
  randomShape: (random) => ({ count: 1 + random.integer(3000) }),
  inputs: (shape) => ({
    x: { shape: [shape.count], dtype: dtypeOf(shape), fill: wideNormals(shape.count) },
    dy: { shape: [shape.count], dtype: dtypeOf(shape) },
  }),
  outputs: (shape) => ({ dx: { shape: [shape.count], dtype: dtypeOf(shape) } }),
  run: (runtime, _shape, { x, dy }, { dx }) => geluBackward(runtime, x!, dy!, dx!),
  reference: (_shape, { x, dy }) => ({ dx: geluBackwardReference(x!, dy!) }),
  cost: ({ count, half }) =>
    geluBackwardCost(count, false, half ? { xBytes: 2, dyBytes: 2, dxBytes: 2 } : {}),
  tolerance: 1e-6,
});

// Both tails matter: a standard normal alone would hardly leave [−3, 3].
function wideNormals(count: number) {
  return (random: { normal(): number }) => Float32Array.from({ length: count }, () => 3 * random.normal());
}
