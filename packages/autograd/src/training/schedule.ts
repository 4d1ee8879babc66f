/** What a cosine schedule with linear warm-up is made of. */
export interface CosineScheduleSettings {
  /** The value at the end of the warm-up. */
  readonly peak: number;
  /** The value that the cosine falls towards. */
  readonly minimum: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly warmupEpochs?: number;
  /** Length of the warm-up in steps; when above 0 it takes the place of `warmupEpochs`. */
  readonly warmupSteps?: number;
}

/** A value for every step of a run. */
export interface Schedule {
  readonly totalSteps: number;
  readonly warmupSteps: number;
  /**
   * The value of a step counted from 0.
   *
   * @throws RangeError outside `0 … totalSteps - 1`
   */
  at(step: number): number;
}

/** The batch size for which the published base learning rates are given. */
const REFERENCE_BATCH_SIZE = 256;

/**
 * The learning rate for a batch of `batchSize` clips in all (over accumulation and ranks): the base rate
 * grows linearly with the batch, and is stated for 256 clips.
 *
 * @throws RangeError when `batchSize` is not a whole number of 1 or more
 */
export function scaleLearningRate(baseLearningRate: number, batchSize: number): number {
  wholeNumber('batchSize', batchSize, 1);
  return (baseLearningRate * batchSize) / REFERENCE_BATCH_SIZE;
}

function wholeNumber(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${name} is ${value}; it must be a whole number of ${least} or more`);
  }
}

function finiteNumber(name: string, value: number): void {
  if (!Number.isFinite(value)) throw new RangeError(`${name} is ${value}; it must be a finite number`);
}

/**
 * Linear warm-up from 0 to `peak`, both inclusive, over `w` steps; then for `i = 0 … K - 1`, with
 * `K = epochs · stepsPerEpoch - w`, `minimum + ½ (peak - minimum)(1 + cos(π i / K))`. The first step of
 * a run with a warm-up has the value 0, and `peak` occurs twice: at the end of the warm-up and at i = 0.
 *
 * @throws RangeError naming the setting that is out of range, or a warm-up longer than the run
 */
export function cosineSchedule(settings: CosineScheduleSettings): Schedule {
  const { peak, minimum, epochs, stepsPerEpoch, warmupEpochs = 0, warmupSteps: steps = 0 } = settings;
  finiteNumber('peak', peak);
  finiteNumber('minimum', minimum);
  wholeNumber('epochs', epochs, 1);
  wholeNumber('stepsPerEpoch', stepsPerEpoch, 1);
  wholeNumber('warmupEpochs', warmupEpochs, 0);
  wholeNumber('warmupSteps', steps, 0);
  const totalSteps = epochs * stepsPerEpoch;
  const warmupSteps = steps > 0 ? steps : warmupEpochs * stepsPerEpoch;
  if (warmupSteps > totalSteps) {
    const source = steps > 0 ? `warmupSteps is ${steps}` : `warmupEpochs is ${warmupEpochs}`;
    throw new RangeError(
      `${source}, a warm-up of ${warmupSteps} steps, but the run has only ${totalSteps} ` +
        `(${epochs} epochs of ${stepsPerEpoch} steps)`,
    );
  }
  const cosineSteps = totalSteps - warmupSteps;

  return {
    totalSteps,
    warmupSteps,
    at(step: number): number {
      if (!Number.isSafeInteger(step) || step < 0 || step >= totalSteps) {
        throw new RangeError(`step is ${step}; the schedule has steps 0 to ${totalSteps - 1}`);
      }
      if (step < warmupSteps) {
        if (step === 0) return 0;
        if (step === warmupSteps - 1) return peak;
        return step * (peak / (warmupSteps - 1));
      }
      const i = step - warmupSteps;
      return minimum + 0.5 * (peak - minimum) * (1 + Math.cos((Math.PI * i) / cosineSteps));
    },
  };
}
