import { UserError } from '@tubelet/trainer';

/** The loss or the gradient is not a number any more; the weights have not been touched by it. */
export class TrainingDivergedError extends UserError {
  override readonly name = 'TrainingDivergedError';

  constructor(
    readonly step: number,
    readonly loss: number,
    readonly nonFiniteGradients: number,
  ) {
    super(
      `training has diverged: in step ${step + 1} the loss is ${loss} and ${nonFiniteGradients} values of the ` +
        'gradient are not finite. The checkpoints of earlier steps are untouched. Begin a new run with a lower ' +
        '--lr or more --warmup-epochs.',
    );
  }
}

/** Throws `TrainingDivergedError` unless loss and gradient are finite. */
export function requireFinite(step: number, loss: number, nonFiniteGradients: number): void {
  if (nonFiniteGradients > 0 || !Number.isFinite(loss)) {
    throw new TrainingDivergedError(step, loss, nonFiniteGradients);
  }
}
