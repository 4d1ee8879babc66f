import { ShapeError } from '../runtime/errors.js';
import type { DType, GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import { elementAlias, elementWidth } from '../runtime/rows.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Variant } from '../runtime/variants.js';
import { f32 } from '../runtime/wgsl.js';
import adamwWgsl from './adamw.wgsl';

export const adamwVariants: readonly Variant[] = [{ name: 'block-per-workgroup', needs: [], prefers: 'any' }];

/** Elements that share one entry of `groupOfBlock`: align each parameter in a bank to this many. */
export const ADAMW_BLOCK = 256;

/** A flat bank of parameters with its optimiser state, and the settings of one step. */
export interface AdamwStepOptions {
  /** f32, contiguous, any shape; updated in place. */
  readonly parameters: GpuArray;
  /** f32 of the same size, contiguous. */
  readonly gradients: GpuArray;
  /** m: f32 of the same size, contiguous; updated in place. */
  readonly firstMoment: GpuArray;
  /** v: f32 of the same size, contiguous; updated in place. */
  readonly secondMoment: GpuArray;
  /** u32 [ceil(size / 256)]: the group of each block of 256 elements. */
  readonly groupOfBlock: GpuArray;
  /** f32 [G, 4]: learning rate and weight decay of each group; the other two numbers are not read. */
  readonly groups: GpuArray;
  /**
   * f32 [4]: bias corrections 1 − β₁ᵗ and 1 − β₂ᵗ of step t = 1, 2, …, the factor for all gradients (one over the
   * loss scale, times any clipping), and the skip flag: not zero leaves everything as it was. See `adamwStepData`.
   */
  readonly step: GpuArray;
  /** f16 of the same size, contiguous: receives the new parameters, rounded. */
  readonly twin?: GpuArray | undefined;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

export function adamwCost(
  count: number,
  groups: number,
  { hasTwin = false }: { readonly hasTwin?: boolean } = {},
): Cost {
  const blocks = Math.ceil(count / ADAMW_BLOCK);
  return {
    macs: 0,
    flops: 0,
    bytesRead: 16 * count + 4 * blocks + 16 * groups + 16,
    bytesWritten: (12 + (hasTwin ? 2 : 0)) * count,
  };
}

/** Contents of `step` for step number `stepNumber` = 1, 2, …: what changes from step to step, in f32. */
export function adamwStepData(
  stepNumber: number,
  { beta1, beta2 }: { readonly beta1: number; readonly beta2: number },
  { gradientScale = 1, skip = false }: { readonly gradientScale?: number; readonly skip?: boolean } = {},
): Float32Array {
  if (!Number.isInteger(stepNumber) || stepNumber < 1) {
    throw new RangeError(`adamw: the step number is ${stepNumber}: the first step is number 1`);
  }
  // −expm1(t · ln β) keeps its accuracy where βᵗ is close to 1.
  const correction = (beta: number) => -Math.expm1(stepNumber * Math.log(beta));
  return Float32Array.of(correction(beta1), correction(beta2), gradientScale, skip ? 1 : 0);
}

/**
 * One step of AdamW with decoupled weight decay, for a whole bank in one dispatch. All per-step numbers are GPU data,
 * so a recorded step can be replayed with new ones. A group number beyond `groups` is the caller's error; only a device
 * with bounds checks keeps it inside the buffer. Source: Loshchilov & Hutter, “Decoupled Weight Decay Regularization”,
 * ICLR 2019.
 *
 * @throws ShapeError when sizes disagree or written arrays share memory, RangeError for β outside [0, 1) or ε ≤ 0
 */
export function adamwStep(runtime: Runtime, options: AdamwStepOptions): void {
  const { parameters, gradients, firstMoment, secondMoment, groupOfBlock, groups, step, twin } = options;
  const count = parameters.size;
  const blocks = Math.ceil(count / ADAMW_BLOCK);
  const groupCount = groups.shape[0] ?? 1;
  const expected: [string, GpuArray, DType, number][] = [
    ['parameters', parameters, 'f32', count],
    ['gradients', gradients, 'f32', count],
    ['firstMoment', firstMoment, 'f32', count],
    ['secondMoment', secondMoment, 'f32', count],
    ['groupOfBlock', groupOfBlock, 'u32', blocks],
    ['groups', groups, 'f32', groupCount * 4],
    ['step', step, 'f32', 4],
  ];
  if (twin) expected.push(['twin', twin, 'f16', count]);
  for (const [name, array, dtype, size] of expected) {
    if (array.dtype !== dtype || array.size !== size || !array.isContiguous) {
      throw new ShapeError(
        `adamw: ${name} is ${array}: give a contiguous ${dtype} array of ${size} elements`,
      );
    }
  }
  const written = [parameters, firstMoment, secondMoment, ...(twin ? [twin] : [])];
  requireApart(written, [gradients, groupOfBlock, groups, step]);
  const { beta1, beta2, epsilon } = options;
  if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1 && epsilon > 0)) {
    throw new RangeError(
      `adamw: beta1 is ${beta1}, beta2 ${beta2}, epsilon ${epsilon}: give betas in [0, 1) and a positive epsilon`,
    );
  }
  const workgroups = runtime.linearGrid(blocks);
  const banks = [parameters, gradients, firstMoment, secondMoment, ...(twin ? [twin] : [])];
  const width = elementWidth(banks.map((bank) => bank.rows()));
  runtime.run({
    kernel: 'adamw',
    wgsl: [elementAlias(width), adamwWgsl],
    data: {
      COUNT: count / width,
      PARAMETERS_OFFSET: parameters.offset / width,
      GRADIENTS_OFFSET: gradients.offset / width,
      FIRST_OFFSET: firstMoment.offset / width,
      SECOND_OFFSET: secondMoment.offset / width,
      GROUP_OF_BLOCK_OFFSET: groupOfBlock.offset,
      GROUPS_OFFSET: groups.offset,
      STEP_OFFSET: step.offset,
      ...(twin && { TWIN_OFFSET: twin.offset / width }),
      GRID_X: workgroups[0],
      BETA1: f32(beta1),
      ONE_MINUS_BETA1: f32(1 - beta1),
      BETA2: f32(beta2),
      ONE_MINUS_BETA2: f32(1 - beta2),
      EPSILON: f32(epsilon),
    },
    arrays: {
      parameters,
      gradients,
      first: firstMoment,
      second: secondMoment,
      group_of_block: groupOfBlock,
      groups,
      step,
      twin,
    },
    workgroups,
    cost: adamwCost(count, groupCount, { hasTwin: twin !== undefined }),
  });
}

// WebGPU forbids binding one region twice in a dispatch when either binding is writable.
function requireApart(written: readonly GpuArray[], read: readonly GpuArray[]): void {
  const storages = new Set(written.map(({ storage }) => storage));
  if (storages.size < written.length || read.some(({ storage }) => storages.has(storage))) {
    throw new ShapeError(
      'adamw: parameters, both moments and the twin must each have a storage of their own',
    );
  }
}
