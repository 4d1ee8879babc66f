import type { KernelCase, KernelSpec } from '../kernel-spec.js';
import type { Variant } from '../runtime/variants.js';
import { testRandom } from '../testing/random.js';
import { isFullTest } from '../testing/test-level.js';

const MAX_QUICK_MACS = 3e8;

/**
 * The cases to test a variant on, and a random shape. Unless everything is tested, those of 800 × 800 tokens are left
 * out, which differ from the one-headed case in the number of heads alone, and so are the model's shapes for variants
 * made for another class of adapter, whose compilation takes this one minutes.
 */
export function casesFor<Shape>(spec: KernelSpec<Shape>, variant: Variant): KernelCase<Shape>[] {
  const shape = spec.randomShape!(testRandom(78));
  const drawn: KernelCase<Shape> = { name: `random ${JSON.stringify(shape)}`, kind: 'edge', shape };
  const isChosen = ({ kind, shape: extents }: KernelCase<Shape>) =>
    isFullTest ||
    (spec.cost(extents).macs <= MAX_QUICK_MACS && (kind !== 'model' || variant.prefers === 'software'));
  return [...spec.cases.filter(isChosen), drawn];
}
