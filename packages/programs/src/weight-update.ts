import type { AdamW, ExponentialMovingAverage, LossScale } from '@tubelet/autograd';
import type { GpuArray, Runtime } from '@tubelet/kernels';
import { SKIPPED_STEPS, type Metrics } from '@tubelet/trainer';
import { requireFinite, requireUsableScale } from './divergence.js';

/** What the update of a step is made of. */
export interface WeightUpdateParts {
  readonly runtime: Runtime;
  readonly optimiser: AdamW;
  /** The optimiser's own; absent in f32. */
  readonly lossScale?: LossScale | undefined;
  /** The average of the weights, which may come and go; default: none. */
  readonly average?: () => ExponentialMovingAverage | undefined;
  /** Greatest norm of the gradient; default: no limit. A loss scale has been told it before. */
  readonly maxGradientNorm?: number | undefined;
}

/**
 * Checks what was found of the gradients of a step, updates the weights unless that is done, and gives the metrics of the
 * step beside its losses. Throws `TrainingDivergedError`.
 */
export type FinishUpdate = (step: number, loss: number) => Metrics;

/**
 * The end of a training step: norm of the gradient, decision, AdamW, average. In f32 a gradient that is not finite ends
 * the training before it spoils the weights; under a loss scale the GPU skips such a step, and only a scale that has
 * fallen below 1 ends it.
 */
export interface WeightUpdate {
  /** To be called in the step after the backward pass; what it gives is `begin`'s, for the last of the batches. */
  measure(): GpuArray | undefined;
  /** Begins the update; its promise is for waiting together with the loss. */
  begin(learningRate: number, measured: GpuArray | undefined): Promise<FinishUpdate>;
}

export function weightUpdate(parts: WeightUpdateParts): WeightUpdate {
  return parts.lossScale ? scaledUpdate(parts, parts.lossScale) : plainUpdate(parts);
}

/** PyTorch's clip_grad_norm_ adds it to the norm before dividing. */
const CLIP_EPSILON = 1e-6;

/** The factor that brings a gradient of this norm within the limit. */
export function clippingFactor(norm: number, limit: number | undefined): number {
  return limit === undefined ? 1 : Math.min(1, limit / (norm + CLIP_EPSILON));
}

function plainUpdate({ runtime, optimiser, average, maxGradientNorm }: WeightUpdateParts): WeightUpdate {
  return {
    measure: () => optimiser.gradientNorm(),
    begin: async (learningRate, measured) => {
      const [norm, nonFinite] = await runtime.read(measured!);
      return (step, loss) => {
        requireFinite(step, loss, nonFinite!);
        optimiser.step({ learningRate, gradientScale: clippingFactor(norm!, maxGradientNorm) });
        average?.()?.update();
        return { lr: learningRate, 'gradient norm': norm! };
      };
    },
  };
}

function scaledUpdate({ optimiser, average }: WeightUpdateParts, lossScale: LossScale): WeightUpdate {
  return {
    measure: () => undefined,
    begin: async (learningRate) => {
      optimiser.step({ learningRate });
      average?.()?.update({ lossScale });
      const outcome = await lossScale.read();
      return (step, loss) => {
        requireUsableScale(step, loss, outcome);
        return {
          lr: learningRate,
          'gradient norm': outcome.gradientNorm,
          'loss scale': outcome.scale,
          [SKIPPED_STEPS]: outcome.skippedSteps,
        };
      };
    },
  };
}
