import type { LossScaleOutcome } from '@tubelet/autograd';
import { UserError } from '@tubelet/trainer';

/** The loss or the gradient is not a number any more; the weights have not been touched by it. */
export class TrainingDivergedError extends UserError {
  override readonly name = 'TrainingDivergedError';

  /**
   * @param found what is wrong, behind `the loss is … and`
   * @param remedy behind `Begin a new run with`
   */
  constructor(
    readonly step: number,
    readonly loss: number,
    found: string,
    remedy: string,
  ) {
    super(
      `training has diverged: in step ${step + 1} the loss is ${loss} and ${found}. The checkpoints of earlier steps ` +
        `are untouched. Begin a new run with ${remedy}.`,
    );
  }
}

/** Throws `TrainingDivergedError` unless loss and gradient are finite. */
export function requireFinite(step: number, loss: number, nonFiniteGradients: number): void {
  if (nonFiniteGradients > 0 || !Number.isFinite(loss)) {
    throw new TrainingDivergedError(
      step,
      loss,
      `${nonFiniteGradients} values of the gradient are not finite`,
      'a lower --lr or more --warmup-epochs',
    );
  }
}

/**
 * Below it a loss scale would make gradients smaller than they are: what overflows then is not what was scaled up. From
 * 65536 on it takes 17 skipped steps with no growth between them to get there.
 */
const LEAST_LOSS_SCALE = 1;

/** Throws `TrainingDivergedError` where gradients overflow although the loss scale has fallen as low as makes sense. */
export function requireUsableScale(
  step: number,
  loss: number,
  { skipped, scale, skippedSteps }: LossScaleOutcome,
): void {
  if (!skipped || scale >= LEAST_LOSS_SCALE) return;
  throw new TrainingDivergedError(
    step,
    loss,
    `values of the gradient are not finite although the loss scale has fallen to ${2 * scale} ` +
      `(${skippedSteps} steps were skipped)`,
    'a lower --lr, more --warmup-epochs or --precision f32',
  );
}
