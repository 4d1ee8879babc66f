import { describe, expect, it } from 'vitest';
import { Divergence, TrainingDivergedError } from './divergence.js';

describe('the end of a training that diverged', () => {
  const outcome = { scale: 1, skippedSteps: 3, skipped: true };

  it('comes in f32 with the tenth step in a row that is skipped', () => {
    const divergence = new Divergence();
    const check = (step: number, skipped = true) =>
      divergence.check(step, NaN, { dynamic: false }, { ...outcome, skipped });
    for (let step = 0; step < 9; step++) check(step);
    check(9, false);
    for (let step = 10; step < 19; step++) check(step);
    expect(() => check(19)).toThrow(TrainingDivergedError);
  });

  it('names step, loss and remedy', () => {
    const divergence = new Divergence();
    expect(() => {
      for (let step = 4; step < 20; step++) divergence.check(step, NaN, { dynamic: false }, outcome);
    }).toThrow(/in step 14 the loss is NaN and values of the gradient.*9 steps before it.*--lr/);
  });

  it('comes under a dynamic scale once that has fallen below 1, and not in a step that was taken', () => {
    const divergence = new Divergence();
    const check = (scale: number, skipped: boolean) =>
      divergence.check(4, NaN, { dynamic: true }, { scale, skippedSteps: 17, skipped });
    expect(() => check(1, true)).not.toThrow();
    expect(() => check(0.5, false)).not.toThrow();
    expect(() => check(0.5, true)).toThrow(
      /in step 5 the loss is NaN .* fallen to 1 \(17 steps were skipped\).*--precision f32/,
    );
  });
});
