import { describe, expect, it } from 'vitest';
import { requireFinite, requireUsableScale, TrainingDivergedError } from './divergence.js';

describe('the end of a training that diverged', () => {
  it('comes in f32 with the first loss or gradient that is not finite', () => {
    expect(() => requireFinite(4, 0.5, 0)).not.toThrow();
    expect(() => requireFinite(4, NaN, 0)).toThrow(TrainingDivergedError);
    expect(() => requireFinite(4, 0.5, 3)).toThrow(
      /in step 5 the loss is 0.5 and 3 values of the gradient.*--lr/,
    );
  });

  it('comes under a loss scale once that has fallen below 1, and not in a step that was taken', () => {
    const outcome = { scale: 1, goodSteps: 0, takenSteps: 9, skippedSteps: 16, gradientNorm: Infinity };
    expect(() => requireUsableScale(4, NaN, { ...outcome, skipped: true })).not.toThrow();
    const below = { ...outcome, scale: 0.5, skippedSteps: 17 };
    expect(() => requireUsableScale(4, 0.5, { ...below, skipped: false })).not.toThrow();
    expect(() => requireUsableScale(4, NaN, { ...below, skipped: true })).toThrow(
      /in step 5 the loss is NaN .* fallen to 1 \(17 steps were skipped\).*--precision f32/,
    );
  });
});
