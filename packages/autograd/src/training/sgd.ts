import { stridedMap, type GpuArray } from '@tubelet/kernels';
import { readByName, requireOfAll, writeByName } from '../parameters/bank-state.js';
import { PARAMETER_BLOCK, type ParameterStore } from '../parameters/parameter-store.js';
import type { UpdateOptions } from './adamw.js';
import { requireNotNegative, treatments, type ParameterGroup, type Treatment } from './parameter-group.js';

/** Settings of gradient descent. */
export interface SGDOptions {
  /** Of a step that names none. */
  readonly learningRate?: number;
  /** Of the parameters that it is for, see `Parameter.decays`; default 0. */
  readonly weightDecay?: number;
  /** Parameters at other learning rates than the step's. */
  readonly groups?: readonly ParameterGroup[];
  /** Share of the velocity that stays from step to step, in [0, 1); default 0. */
  readonly momentum?: number;
  /** Look ahead along the velocity (Nesterov, 1983); default false. */
  readonly nesterov?: boolean;
}

/**
 * Gradient descent with momentum (Polyak, 1964) and weight decay as part of the gradient, as PyTorch has it:
 * d = g + wd·p; v ← μ·v + d; p ← p − lr·v, or p − lr·(d + μ·v) with `nesterov`. Two dispatches a bank.
 */
export class SGD {
  private readonly velocities: GpuArray[];
  private readonly groupOfBlock: GpuArray[];
  /** [groups, 2]: learning rate and weight decay of each group. */
  private readonly groupTable: GpuArray;
  /** Momentum and the factor of gradients. */
  private readonly stepData: GpuArray;
  private readonly momentum: number;
  private readonly treatments: readonly Treatment[];

  /**
   * @throws RangeError when a parameter is in two groups or of another store, when groups divide a pack, and for a
   *   momentum that is not in [0, 1)
   */
  constructor(
    readonly store: ParameterStore,
    private readonly options: SGDOptions = {},
  ) {
    this.momentum = options.momentum ?? 0;
    if (!(this.momentum >= 0 && this.momentum < 1)) {
      throw new RangeError(`SGD: momentum is ${this.momentum}, it must be at least 0 and below 1`);
    }
    const { weightDecay = 0, groups } = options;
    const { table, ofBlocks } = treatments('SGD', store, { weightDecay, groups });
    this.treatments = table;
    const { runtime } = store.engine;
    this.velocities = store.createLike('velocities');
    this.groupOfBlock = ofBlocks.map((blocks) =>
      runtime.keep(runtime.upload(blocks, [blocks.length], 'u32', 'parameter groups')),
    );
    this.groupTable = runtime.keep(runtime.empty([2 * table.length], 'f32', 'group table'));
    this.stepData = runtime.keep(runtime.empty([2], 'f32', 'optimiser step'));
  }

  /**
   * One update of all parameters from their gradients, which are used up. Parameters that no gradient reached count as
   * having a gradient of zero.
   *
   * @throws RangeError for numbers that are not finite or below 0
   */
  step({ learningRate = this.options.learningRate, gradientScale = 1 }: UpdateOptions = {}): void {
    if (learningRate === undefined) {
      throw new RangeError('SGD: give a learningRate to the optimiser or to its step');
    }
    requireNotNegative('SGD', 'learningRate', learningRate);
    requireNotNegative('SGD', 'gradientScale', gradientScale);
    const { runtime } = this.store.engine;
    this.store.completeGradients();
    const table = this.treatments.flatMap(({ learningRateScale, weightDecay }) => [
      learningRate * learningRateScale,
      weightDecay,
    ]);
    runtime.write(this.groupTable, Float32Array.from(table));
    runtime.write(this.stepData, Float32Array.of(this.momentum, gradientScale));
    this.store.banks.forEach(({ values, gradients }, i) => {
      // Numbers that change from step to step are arrays; each is read whole.
      const whole = (array: GpuArray) => ({ array: array.slice(0, 0, 1), as: 'array' as const });
      const blocks = this.groupOfBlock[i]!;
      const shared = {
        g: { array: gradients },
        table: whole(this.groupTable),
        settings: whole(this.stepData),
        group_of: whole(blocks),
      };
      const group = `group_of[place / ${PARAMETER_BLOCK}u]`;
      const decayed = (p: string) => `settings[1] * g + table[2u * ${group} + 1u] * ${p}`;
      stridedMap(runtime, {
        kernel: 'sgd-velocity',
        inputs: { ...shared, p: { array: values } },
        value: `settings[0] * out[out_at] + ${decayed('p')}`,
        out: this.velocities[i]!,
      });
      const direction = this.options.nesterov ? `(${decayed('out[out_at]')} + settings[0] * v)` : 'v';
      const { g, settings, ...rest } = shared;
      stridedMap(runtime, {
        kernel: 'sgd',
        inputs: {
          ...rest,
          ...(this.options.nesterov ? { g, settings } : {}),
          v: { array: this.velocities[i]! },
        },
        value: `-table[2u * ${group}] * ${direction}`,
        out: values,
        accumulate: true,
      });
    });
    this.store.twin.invalidate();
    this.store.zeroGradients();
  }

  /** Velocities by parameter name, for checkpoints. Waits for the GPU. */
  async state(): Promise<Map<string, Float32Array>> {
    return readByName(this.store, this.velocities);
  }

  /**
   * Restores what `state` returned.
   *
   * @throws RangeError, and changes nothing, when a parameter is missing, has another size or is unknown
   */
  restore(state: ReadonlyMap<string, Float32Array>): void {
    requireOfAll(this.store, state, 'the optimiser state has no fitting velocity');
    writeByName(this.store, this.velocities, state);
  }

  /** Returns the optimiser's memory to the pool. */
  release(): void {
    const { runtime } = this.store.engine;
    for (const array of [...this.velocities, ...this.groupOfBlock, this.groupTable, this.stepData]) {
      runtime.release(array);
    }
  }
}
