import { LOSS_SCALE_STATE, scaledCotangent, updateLossScale, type GpuArray } from '@tubelet/kernels';
import type { LossScaling, Tape, Tensor } from '../engine/tensor.js';

/** The rules of a loss scale. */
export interface LossScaleOptions {
  /**
   * False: the scale stays as it is. Products of f32 need none, but for what else it decides: steps whose gradients are
   * not finite are skipped, and gradients clipped, without a step waiting for it. Default true.
   */
  readonly dynamic?: boolean;
  /** The scale of the first step; default 65536, and 1 where it stays. */
  readonly initialScale?: number;
  /** Good steps in a row after which the scale is doubled; default 2000. */
  readonly growthInterval?: number;
  /** Greatest norm of the gradient, without the scale, to which it is clipped; default: no limit. */
  readonly maxGradientNorm?: number;
}

/** What a loss scale carries from step to step. */
export interface LossScaleState {
  readonly scale: number;
  /** Good steps since the scale last changed. */
  readonly goodSteps: number;
  /** Steps of the optimiser that were taken: its bias corrections follow them. */
  readonly takenSteps: number;
  readonly skippedSteps: number;
}

/** The state after a step, and how the step came out. */
export interface LossScaleOutcome extends LossScaleState {
  /** L2 norm of all gradients without the scale, before clipping; infinite where the step was skipped. */
  readonly gradientNorm: number;
  readonly skipped: boolean;
}

/**
 * A dynamic loss scale for f16: gradients are computed of scale · loss, so that small ones do not vanish in
 * f16, and divided by the scale where they are used. A step whose gradients are not finite is skipped whole and halves
 * the scale; many good ones in a row double it (Micikevicius et al., 2018; the rules and numbers of PyTorch's
 * GradScaler). All of it lives on the GPU: `loss.backward({ lossScale })` begins with the scale as it is there,
 * and `AdamW` made with it decides after the norm of the gradients, so that no step waits for a decision.
 * A loss that is not finite makes its step skipped too.
 *
 * It belongs to one optimiser. Accumulated batches lie under one scale: it changes in the optimiser's step only.
 */
export class LossScale implements LossScaling {
  /** f32 [4], what `adamwStep` and `emaUpdate` read of the last step. */
  readonly stepData: GpuArray;
  private readonly state: GpuArray;
  /** Whether the scale follows the gradients. */
  readonly dynamic: boolean;
  private readonly growthInterval: number;

  /**
   * @throws RangeError for an initial scale that is not a power of two from 2⁻¹²⁶ to 2¹²⁷ (which alone scale without
   *   rounding), an interval that is not a whole number from 1 to 2²⁴, or a limit that is not above 0
   */
  constructor(
    private readonly engine: Tape,
    private readonly options: LossScaleOptions = {},
  ) {
    const { dynamic = true, growthInterval = 2000, maxGradientNorm } = options;
    const { initialScale = dynamic ? 65536 : 1 } = options;
    const power = Math.log2(initialScale);
    if (!Number.isInteger(power) || power < -126 || power > 127) {
      throw new RangeError(`LossScale: initialScale is ${initialScale}, it must be a power of two`);
    }
    if (!(Number.isInteger(growthInterval) && growthInterval >= 1 && growthInterval <= 2 ** 24)) {
      throw new RangeError(
        `LossScale: growthInterval is ${growthInterval}, it must be a whole number from 1 to ${2 ** 24}`,
      );
    }
    if (maxGradientNorm !== undefined && !(maxGradientNorm > 0 && maxGradientNorm < Infinity)) {
      throw new RangeError(
        `LossScale: maxGradientNorm is ${maxGradientNorm}, it must be a finite number above 0`,
      );
    }
    this.dynamic = dynamic;
    this.growthInterval = growthInterval;
    const { runtime } = engine;
    this.state = runtime.keep(runtime.empty([LOSS_SCALE_STATE], 'f32', 'loss scale'));
    this.stepData = runtime.keep(runtime.empty([4], 'f32', 'optimiser step'));
    this.restore({ scale: initialScale, goodSteps: 0, takenSteps: 0, skippedSteps: 0 });
  }

  /** The gradient of scale · `factor` · `loss` by the loss, made on the GPU; the caller's step owns it. */
  cotangent(loss: Tensor, factor: number): GpuArray {
    const { runtime } = this.engine;
    const out = runtime.empty(loss.shape, 'f32', 'cotangent');
    scaledCotangent(runtime, { loss: loss.array, state: this.state, out, factor });
    return out;
  }

  /** Decides over a step by the norm of its scaled gradients, f32 [2] as `gradientNorm` gives it; fills `stepData`. */
  decide(norms: GpuArray, [beta1, beta2]: readonly [number, number]): void {
    const { state, stepData: step, growthInterval, dynamic } = this;
    const { maxGradientNorm: maxNorm } = this.options;
    updateLossScale(this.engine.runtime, {
      ...{ state, norms, step, beta1, beta2, growthInterval, maxNorm },
      isConstant: !dynamic,
    });
  }

  /** The state after the last step, and how that came out. Waits for the GPU. */
  async read(): Promise<LossScaleOutcome> {
    const values = await this.engine.runtime.read(this.state);
    const [scale, goodSteps, takenSteps, skippedSteps, norm, skip] = values;
    const skipped = skip !== 0;
    return {
      scale: scale!,
      goodSteps: goodSteps!,
      takenSteps: takenSteps!,
      skippedSteps: skippedSteps!,
      gradientNorm: skipped ? Infinity : norm!,
      skipped,
    };
  }

  /**
   * Restores what `read` gave.
   *
   * @throws RangeError, and changes nothing, for what cannot be a state
   */
  restore({ scale, goodSteps, takenSteps, skippedSteps }: LossScaleState): void {
    const counts = [goodSteps, takenSteps, skippedSteps];
    const isCount = (value: number) => Number.isInteger(value) && value >= 0 && value <= 2 ** 24;
    if (!(scale > 0 && scale < Infinity && Math.fround(scale) === scale) || !counts.every(isCount)) {
      throw new RangeError(
        `LossScale: cannot restore a scale of ${scale} after ${goodSteps} good steps, ${takenSteps} taken and ` +
          `${skippedSteps} skipped: give a state that read() gave`,
      );
    }
    this.engine.runtime.write(this.state, Float32Array.of(scale, ...counts, 0, 0));
  }

  /** Returns its memory to the pool. */
  release(): void {
    for (const array of [this.state, this.stepData]) this.engine.runtime.release(array);
  }
}
