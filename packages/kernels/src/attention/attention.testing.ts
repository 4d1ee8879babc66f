import type { KernelCase, KernelSpec } from '../kernel-spec.js';
import { testRandom } from '../testing/random.js';

const MAX_QUICK_MACS = 3e8;

/**
 * The cases of a spec that a float64 reference does in a second, and a random shape. The others are those
 * of 800 × 800 tokens, which differ from the one-headed case in the number of heads alone.
 */
export function quickCases<Shape>(spec: KernelSpec<Shape>): KernelCase<Shape>[] {
  const shape = spec.randomShape!(testRandom(78));
  const drawn: KernelCase<Shape> = { name: `random ${JSON.stringify(shape)}`, kind: 'edge', shape };
  return [...spec.cases.filter(({ shape }) => spec.cost(shape).macs <= MAX_QUICK_MACS), drawn];
}
