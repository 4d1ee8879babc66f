import { defineKernel, type ArraySpec, type KernelCase } from '../kernel-spec.js';
import { ADAMW_BLOCK, adamwCost, adamwStep, adamwStepData, adamwVariants } from './adamw.js';
import { adamwReference } from './adamw.reference.js';

interface AdamwShape {
  readonly count: number;
  readonly groups: number;
  readonly skip?: boolean;
  /** A copy in f16 is written too. */
  readonly twin?: boolean;
}

export const adamwSettings = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 } as const;

const cases: readonly KernelCase<AdamwShape>[] = [
  { name: 'one parameter', kind: 'edge', shape: { count: 1, groups: 1 } },
  { name: 'a last block that is not full', kind: 'edge', shape: { count: 257 * 101, groups: 5 } },
  { name: 'non-finite gradients: skipped', kind: 'edge', shape: { count: 600, groups: 2, skip: true } },
  { name: 'a twin in f16', kind: 'edge', shape: { count: 1301, groups: 3, twin: true } },
  {
    name: 'a twin in f16, four numbers at a time',
    kind: 'edge',
    shape: { count: 1300, groups: 3, twin: true },
  },
  { name: 'a twin in f16: skipped', kind: 'edge', shape: { count: 600, groups: 2, skip: true, twin: true } },
  { name: 'a million parameters', kind: 'model', shape: { count: 1_000_000, groups: 2 } },
];

const blocksOf = (count: number) => Math.ceil(count / ADAMW_BLOCK);

export const adamwKernel = defineKernel<AdamwShape>({
  name: 'adamw',
  summary: 'AdamW step over a flat bank of parameters in groups, in place',
  variants: adamwVariants,
  cases,
  randomShape: (random) => ({ count: 1 + random.integer(3000), groups: 1 + random.integer(4) }),
  inputs: ({ count, groups, skip = false }) => ({
    gradients: { shape: [count] },
    groupOfBlock: {
      shape: [blocksOf(count)],
      dtype: 'u32',
      fill: (random) => Uint32Array.from({ length: blocksOf(count) }, () => random.integer(groups)),
    },
    groups: {
      shape: [groups, 4],
      fill: (random) => Float32Array.from({ length: groups * 4 }, () => 0.1 * random.uniform()),
    },
    step: { shape: [4], fill: () => adamwStepData(3, adamwSettings, { gradientScale: 0.25, skip }) },
  }),
  outputs: ({ count, twin }) => ({
    parameters: { shape: [count], initial: (random) => normals(count, () => random.normal()) },
    firstMoment: { shape: [count], initial: (random) => normals(count, () => 0.1 * random.normal()) },
    secondMoment: { shape: [count], initial: (random) => normals(count, () => 0.01 * random.normal() ** 2) },
    ...(twin ? twinOutput(count) : {}),
  }),
  run: (
    runtime,
    _shape,
    { gradients, groupOfBlock, groups, step },
    { parameters, firstMoment, secondMoment, twin },
  ) =>
    adamwStep(runtime, {
      parameters: parameters!,
      gradients: gradients!,
      firstMoment: firstMoment!,
      secondMoment: secondMoment!,
      groupOfBlock: groupOfBlock!,
      groups: groups!,
      step: step!,
      twin,
      ...adamwSettings,
    }),
  reference: ({ skip, twin }, arrays) => {
    const updated = adamwReference(arrays as Parameters<typeof adamwReference>[0], adamwSettings);
    return twin ? { ...updated, twin: skip ? arrays.twin! : updated.parameters } : updated;
  },
  cost: ({ count, groups, twin }) => adamwCost(count, groups, { hasTwin: twin ?? false }),
  tolerance: 1e-6,
});

function twinOutput(count: number): Record<string, ArraySpec> {
  return {
    twin: { shape: [count], dtype: 'f16', initial: (random) => normals(count, () => random.normal()) },
  };
}

function normals(count: number, next: () => number): Float32Array {
  return Float32Array.from({ length: count }, next);
}
