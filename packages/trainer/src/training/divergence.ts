import type { LossScale, LossScaleOutcome } from '@tubelet/autograd';
import { UserError } from '../errors.js';

/** Gradients are not finite any more, step after step; the weights have not been touched by them. */
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
      `training has diverged: in step ${step + 1} the loss is ${loss} and ${found}. The weights are those of the last ` +
        `step that was not skipped, and so are the checkpoints. Begin a new run with ${remedy}.`,
    );
  }
}

/**
 * Below it a loss scale would make gradients smaller than they are: what overflows then is not what was scaled up. From
 * 65536 on it takes 17 skipped steps with no growth between them to get there.
 */
const LEAST_LOSS_SCALE = 1;

/** Watches the outcomes of a training's steps, in order. */
export class Divergence {
  private skippedInARow = 0;

  /**
   * @param maxSkipped without a scale that could fall, one batch may overflow, but so many in a row do not by themselves
   */
  constructor(private readonly maxSkipped = 10) {}

  /**
   * @param loss of the step
   * @throws TrainingDivergedError where steps are skipped and more of them would not help
   */
  check(
    step: number,
    loss: number,
    { dynamic }: Pick<LossScale, 'dynamic'>,
    { scale, skippedSteps, skipped }: Pick<LossScaleOutcome, 'scale' | 'skippedSteps' | 'skipped'>,
  ): void {
    this.skippedInARow = skipped ? this.skippedInARow + 1 : 0;
    if (dynamic && skipped && scale < LEAST_LOSS_SCALE) {
      throw new TrainingDivergedError(
        step,
        loss,
        `values of the gradient are not finite although the loss scale has fallen to ${2 * scale} ` +
          `(${skippedSteps} steps were skipped)`,
        'a lower --lr, more --warmup-epochs or --precision f32',
      );
    }
    if (!dynamic && this.skippedInARow >= this.maxSkipped) {
      const before = this.maxSkipped - 1;
      const like = before > 0 ? `, as in the ${before} steps before it, which were skipped` : '';
      throw new TrainingDivergedError(
        step,
        loss,
        `values of the gradient are not finite${like}`,
        'a lower --lr or more --warmup-epochs, or go on with --resume and a higher --max-skipped',
      );
    }
  }
}
