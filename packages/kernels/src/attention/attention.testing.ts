import type { KernelCase, KernelSpec } from '../kernel-spec.js';
import type { Variant } from '../runtime/variants.js';
import { testRandom } from '../testing/random.js';
import { isForGpus, isFullTest } from '../testing/test-level.js';
import type { AttentionCaseShape } from './attention.cases.js';

const MAX_QUICK_MACS = 3e8;

/**
 * Each head dimension is a program of its own, and these are all kinds of them: in fours and not, filled up or not. A
 * wider one takes longer to compile: a software driver keeps a row of a head in registers that it does not have.
 */
const DAILY_HEAD_DIMENSIONS = [10, 16, 64];
/** Those of a variant that is made for GPUs but compiled here too. */
const FEW_HEAD_DIMENSIONS = [16];

/**
 * The cases to test a variant on, and a random shape. Left to the full test are 800 × 800 tokens, which differ from
 * fewer in the number of blocks alone, further head dimensions, and, for variants made for another class of adapter,
 * whose compilation takes this one minutes, the widest head and the model's shapes.
 */
export function casesFor(
  spec: KernelSpec<AttentionCaseShape>,
  variant: Variant,
): KernelCase<AttentionCaseShape>[] {
  const isForSoftware = variant.prefers === 'software';
  const forGpus = isForGpus(variant);
  const headDimensions = forGpus ? FEW_HEAD_DIMENSIONS : DAILY_HEAD_DIMENSIONS;
  const isDaily = ({ kind, shape }: KernelCase<AttentionCaseShape>) =>
    spec.cost(shape).macs <= MAX_QUICK_MACS &&
    headDimensions.includes(shape.headDimension) &&
    (kind !== 'model' || isForSoftware);
  const drawn = spec.randomShape!(testRandom(78));
  const shape = isFullTest ? drawn : { ...drawn, headDimension: forGpus ? 16 : 64 };
  return [
    ...spec.cases.filter((testCase) => isDaily(testCase) !== isFullTest),
    { name: `random ${JSON.stringify(shape)}`, kind: 'edge', shape },
  ];
}
