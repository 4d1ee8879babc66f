import type { KernelCase, KernelSpec } from '../kernel-spec.js';
import type { Variant } from '../runtime/variants.js';
import { testRandom } from '../testing/random.js';
import { isForGpus, isFullTest } from '../testing/test-level.js';
import type { AttentionCaseShape } from './attention.cases.js';

/**
 * Each head dimension is a program of its own, which a software driver compiles for seconds, for longer the wider it
 * is: nearly all daily cases are of this one.
 */
const DAILY_HEAD_DIMENSION = 16;

/** Besides, the width of the models and channels not in fours; not of variants that are made for GPUs and compiled here. */
const FURTHER_CASES = [
  'head dimension 64',
  'window of 8 keys, 1 query',
  'window of 11 keys, head dimension 7',
];

/** Of a program that differs from another in the size of arrays alone, for which llvmpipe compiles it for ten seconds. */
const SLOW_ON_SOFTWARE = 'window of 128 queries';

/**
 * Of the random shape. On software, channels not in fours, and more than one vec4 for each invocation of a subgroup, some
 * of which are left without; on matrix units the width of the models.
 */
function randomHeadDimension({ prefers, precision }: Variant): number {
  if (prefers === 'software') return 22;
  return precision === 'f16' ? 64 : DAILY_HEAD_DIMENSION;
}

/**
 * The cases to test a variant on, and a random shape. Left to the full test are further head dimensions and the shapes of
 * the models, which differ from others in the number of blocks alone.
 */
export function casesFor(
  { cases, randomShape }: KernelSpec<AttentionCaseShape>,
  variant: Variant,
): KernelCase<AttentionCaseShape>[] {
  const isSlow = (name: string) => variant.prefers === 'software' && name === SLOW_ON_SOFTWARE;
  const further = isForGpus(variant) ? [] : FURTHER_CASES;
  const isDaily = ({ name, shape }: KernelCase<AttentionCaseShape>) =>
    further.includes(name) || (shape.headDimension === DAILY_HEAD_DIMENSION && !isSlow(name));
  const drawn = randomShape!(testRandom(78));
  const shape = isFullTest ? drawn : { ...drawn, headDimension: randomHeadDimension(variant) };
  return [
    ...cases.filter((testCase) => isDaily(testCase) !== isFullTest),
    { name: `random ${JSON.stringify(shape)}`, kind: 'edge', shape },
  ];
}
