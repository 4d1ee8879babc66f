import { adamwStep, adamwStepData, gradientNorm, type GpuArray } from '@tubelet/kernels';
import { readByName, requireOfAll, writeByName } from '../parameters/bank-state.js';
import type { ParameterStore } from '../parameters/parameter-store.js';
import type { LossScale } from './loss-scale.js';
import { requireNotNegative, treatments, type ParameterGroup, type Treatment } from './parameter-group.js';

/** Settings of AdamW. */
export interface AdamWOptions {
  /** Of a step that names none. */
  readonly learningRate?: number;
  /** Of the parameters that it is for, see `Parameter.decays`; default 0.01. */
  readonly weightDecay?: number;
  /** Parameters at other learning rates than the step's. */
  readonly groups?: readonly ParameterGroup[];
  /** Decay rates of the first and second moment; default 0.9, 0.999. */
  readonly betas?: readonly [number, number];
  readonly epsilon?: number;
  /** Under which gradients are computed: decides over each step, and undoes its scale. The caller releases it. */
  readonly lossScale?: LossScale | undefined;
}

/** What may differ from step to step of an optimiser. */
export interface UpdateOptions {
  /** Default: that of the optimiser. */
  readonly learningRate?: number;
  /**
   * Multiplies all gradients first, e.g. 1/number of accumulated batches or a clipping factor; default 1. Not with a
   * loss scale, which clips by itself: give `backward` a scale.
   */
  readonly gradientScale?: number;
}

/** First and second moment of one parameter, row-major: `exp_avg` and `exp_avg_sq` as PyTorch calls them. */
export interface Moments {
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
}

/**
 * AdamW with decoupled weight decay (Loshchilov & Hutter, 2019), all parameters of a bank in one dispatch:
 * p ← p·(1 − lr·wd); m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; p ← p − lr · (m/(1−β₁ᵗ)) / (√(v/(1−β₂ᵗ)) + ε).
 */
export class AdamW {
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  /** Number of steps; with a loss scale, those that it skipped count too, and the scale knows how many were taken. */
  stepCount = 0;
  private readonly firstMoments: GpuArray[];
  private readonly secondMoments: GpuArray[];
  private readonly groupOfBlock: GpuArray[];
  private readonly groupTable: GpuArray;
  /** Without a loss scale, which has its own. */
  private readonly stepData: GpuArray;
  private readonly norm: GpuArray;
  private readonly treatments: readonly Treatment[];

  /**
   * @throws RangeError when a parameter is in two groups or of another store, when groups divide a pack, and for a
   *   learning-rate scale or weight decay below zero
   */
  constructor(
    readonly store: ParameterStore,
    private readonly options: AdamWOptions = {},
  ) {
    this.betas = options.betas ?? [0.9, 0.999];
    this.epsilon = options.epsilon ?? 1e-8;
    const { weightDecay = 0.01, groups } = options;
    const { table, ofBlocks } = treatments('AdamW', store, { weightDecay, groups });
    this.treatments = table;
    const { runtime } = store.engine;
    this.firstMoments = store.createLike('first moments');
    this.secondMoments = store.createLike('second moments');
    this.groupOfBlock = ofBlocks.map((blocks) =>
      runtime.keep(runtime.upload(blocks, [blocks.length], 'u32', 'parameter groups')),
    );
    this.groupTable = runtime.keep(runtime.empty([table.length, 4], 'f32', 'group table'));
    this.stepData = runtime.keep(runtime.empty([4], 'f32', 'optimiser step'));
    this.norm = runtime.keep(runtime.empty([2], 'f32', 'gradient norm'));
  }

  /**
   * One update of all parameters from their gradients, which are used up: the next backward pass starts anew.
   * Parameters that no gradient reached count as having a gradient of zero (they still decay). With a loss scale the
   * GPU decides whether the step is taken: where gradients overflowed, nothing changes but the scale.
   *
   * @throws RangeError for a learning rate or gradient scale that is not a finite number of at least 0, and for a
   *   gradient scale with a loss scale
   */
  step({ learningRate = this.options.learningRate, gradientScale = 1 }: UpdateOptions = {}): void {
    if (learningRate === undefined) {
      throw new RangeError('AdamW: give a learningRate to the optimiser or to its step');
    }
    requireNotNegative('AdamW', 'learningRate', learningRate);
    requireNotNegative('AdamW', 'gradientScale', gradientScale);
    const { lossScale } = this.options;
    if (lossScale && gradientScale !== 1) {
      throw new RangeError(
        `AdamW: gradientScale is ${gradientScale}, with a loss scale it must be 1: give backward() a scale`,
      );
    }
    const { runtime } = this.store.engine;
    this.store.completeGradients();
    this.stepCount++;
    const [beta1, beta2] = this.betas;
    const table = new Float32Array(4 * this.treatments.length);
    this.treatments.forEach(({ learningRateScale, weightDecay }, i) => {
      table.set([learningRate * learningRateScale, weightDecay], 4 * i);
    });
    runtime.write(this.groupTable, table);
    if (lossScale) lossScale.decide(this.gradientNorm(), this.betas);
    else runtime.write(this.stepData, adamwStepData(this.stepCount, { beta1, beta2 }, { gradientScale }));
    this.store.banks.forEach((bank, i) =>
      adamwStep(runtime, {
        parameters: bank.values,
        gradients: bank.gradients,
        firstMoment: this.firstMoments[i]!,
        secondMoment: this.secondMoments[i]!,
        groupOfBlock: this.groupOfBlock[i]!,
        groups: this.groupTable,
        step: lossScale?.stepData ?? this.stepData,
        twin: this.store.twin.banks[i],
        beta1,
        beta2,
        epsilon: this.epsilon,
      }),
    );
    this.store.zeroGradients();
  }

  /**
   * L2 norm of all gradients as they are, [2] on the GPU: the norm, and the number of values that are not finite. Valid
   * after `backward` and until the next step. Without the loss scale, it is in what that reads after a step.
   */
  gradientNorm(): GpuArray {
    const { runtime } = this.store.engine;
    this.store.completeGradients();
    gradientNorm(runtime, { banks: this.store.banks.map((bank) => bank.gradients), out: this.norm });
    return this.norm;
  }

  /** Moments by parameter name, for checkpoints. Waits for the GPU. */
  async state(): Promise<Map<string, Moments>> {
    const first = await readByName(this.store, this.firstMoments);
    const second = await readByName(this.store, this.secondMoments);
    const result = new Map<string, Moments>();
    for (const [name, firstMoment] of first) {
      result.set(name, { firstMoment, secondMoment: second.get(name)! });
    }
    return result;
  }

  /**
   * Restores what `state` returned, and the number of steps taken.
   *
   * @throws RangeError, and changes nothing, when a parameter is missing, has another size or is unknown, or the number
   *   of steps is none
   */
  restore(state: ReadonlyMap<string, Moments>, stepCount: number): void {
    if (!Number.isInteger(stepCount) || stepCount < 0) {
      throw new RangeError(`the optimiser state is of step ${stepCount}: give the number of steps taken`);
    }
    const moments = (which: keyof Moments) =>
      new Map([...state].map(([name, both]) => [name, both[which]] as const));
    const [first, second] = [moments('firstMoment'), moments('secondMoment')];
    for (const values of [first, second]) {
      requireOfAll(this.store, values, 'the optimiser state has no fitting moments');
    }
    writeByName(this.store, this.firstMoments, first);
    writeByName(this.store, this.secondMoments, second);
    this.stepCount = stepCount;
  }

  /** Returns the optimiser's memory to the pool. */
  release(): void {
    const { runtime } = this.store.engine;
    const arrays = [...this.firstMoments, ...this.secondMoments, ...this.groupOfBlock];
    for (const array of [...arrays, this.groupTable, this.stepData, this.norm]) runtime.release(array);
  }
}
