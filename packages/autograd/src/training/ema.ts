import { emaUpdate, type GpuArray } from '@tubelet/kernels';
import { readByName, requireOfAll, writeByName } from '../parameters/bank-state.js';
import type { ParameterStore } from '../parameters/parameter-store.js';
import type { LossScale } from './loss-scale.js';

/** How slowly an average of weights follows. */
export interface ExponentialMovingAverageOptions {
  /** Share of the average that each update keeps, at least 0 and less than 1; e.g. 0.9999. */
  readonly decay: number;
}

/**
 * A second set of weights that follows the trained ones: average ← decay · average + (1 − decay) · weights at each
 * `update`, in one dispatch a bank. It starts as a copy of the weights, so it needs no correction of its bias.
 * It is evaluated by `swap`: the model then computes with the average, until the next `swap`.
 */
export class ExponentialMovingAverage {
  readonly decay: number;
  private readonly averages: GpuArray[];
  private swapped = false;

  /**
   * Starts from the weights as they are now.
   *
   * @throws RangeError for a decay outside [0, 1)
   */
  constructor(
    readonly store: ParameterStore,
    { decay }: ExponentialMovingAverageOptions,
  ) {
    if (!(decay >= 0 && decay < 1)) {
      throw new RangeError(
        `ExponentialMovingAverage: decay is ${decay}, it must be at least 0 and less than 1`,
      );
    }
    this.decay = decay;
    this.averages = store.createLike('average of weights');
    this.initialise();
  }

  /** Whether the model computes with the average and the trained weights wait. */
  get isSwapped(): boolean {
    return this.swapped;
  }

  /**
   * Starts anew from the weights as they are now.
   *
   * @throws Error while swapped
   */
  initialise(): void {
    this.requireTrained('initialise');
    const { runtime } = this.store.engine;
    this.store.banks.forEach(({ values }, i) => runtime.copy(values, this.averages[i]!));
  }

  /**
   * Takes the weights into the average: after each step of the optimiser. Under its loss scale a step that was skipped
   * leaves the average as it is.
   *
   * @throws Error while swapped
   */
  update({ lossScale }: { lossScale?: LossScale | undefined } = {}): void {
    this.requireTrained('update');
    const { runtime } = this.store.engine;
    this.store.banks.forEach(({ values }, i) =>
      emaUpdate(runtime, {
        average: this.averages[i]!,
        values,
        decay: this.decay,
        step: lossScale?.stepData,
      }),
    );
  }

  /**
   * Exchanges the averaged with the trained weights; a second call restores both to the bit. Needs memory for one
   * bank while it runs.
   */
  swap(): void {
    const { runtime } = this.store.engine;
    this.store.banks.forEach(({ values, size }, i) => {
      const average = this.averages[i]!;
      const aside = runtime.empty([size], 'f32', 'exchange of weights');
      runtime.copy(values, aside);
      runtime.copy(average, values);
      runtime.copy(aside, average);
      runtime.release(aside);
    });
    this.store.twin.invalidate();
    this.swapped = !this.swapped;
  }

  /**
   * The averaged weights by parameter name, for checkpoints. Waits for the GPU.
   *
   * @throws Error while swapped
   */
  async state(): Promise<Map<string, Float32Array>> {
    this.requireTrained('state');
    return readByName(this.store, this.averages);
  }

  /**
   * Restores what `state` returned.
   *
   * @throws RangeError, and changes nothing, when a parameter is missing, has another size or is unknown; `Error` while
   *   swapped
   */
  restore(state: ReadonlyMap<string, Float32Array>): void {
    this.requireTrained('restore');
    requireOfAll(this.store, state, 'the average of weights has no fitting values');
    writeByName(this.store, this.averages, state);
  }

  /**
   * Returns the average's memory to the pool.
   *
   * @throws Error while swapped, when the trained weights lie in it
   */
  release(): void {
    this.requireTrained('release');
    for (const array of this.averages) this.store.engine.runtime.release(array);
  }

  private requireTrained(action: string): void {
    if (!this.swapped) return;
    throw new Error(
      `ExponentialMovingAverage.${action}: the averaged weights are swapped in; swap back first`,
    );
  }
}
