import { reconstructionTargets } from '@tubelet/kernels';
import { drawMask } from './mask.js';
import type { PretrainingModel } from './pretraining-model.js';
import type { PredictedCubes } from './reconstruct-frames.js';
import { targetOptions } from './targets.js';
import { drawTubeMask } from './uneven-mask.js';

/** Which cubes are masked. */
export interface MaskSettings {
  /** `window`: as many positions of each region, as LGI-Former is trained; `tube`: positions of the whole frame. */
  readonly maskType: 'window' | 'tube';
  readonly seed: number;
  /** Draws another mask for each clip. */
  readonly sample?: number;
}

/**
 * How well the masked cubes of a clip were predicted: mean-square errors of normalised values, of the first frames of
 * cubes and of the second ones or what they differ by.
 */
export interface ClipError {
  readonly first: number;
  readonly second: number;
}

/**
 * Predicts the masked cubes of one clip.
 *
 * @param frames [T, H, W, 3]
 */
export async function predictClip(
  model: PretrainingModel,
  frames: Uint8Array,
  { maskRatio, maskType, seed, sample = 0 }: MaskSettings & { readonly maskRatio: number },
): Promise<{ cubes: PredictedCubes; error: ClipError }> {
  const { engine, config } = model;
  const { runtime } = engine;
  const { encoder } = config;
  const { imageSize } = encoder;
  return engine.step(() =>
    engine.noGrad(async () => {
      const clip = runtime.upload(frames, [1, encoder.frames, imageSize, imageSize, 3]);
      const draw = maskType === 'tube' ? drawTubeMask : drawMask;
      const mask = draw(runtime, encoder, maskRatio, { seed, epoch: 0, samples: [sample] });
      const { prediction, target, parts } = model.forward({ frames: clip }, mask);
      const statistics = () => runtime.empty([1, mask.counts.maskedCount, 3], 'f32', 'cube statistics');
      const [mean, deviation] = [statistics(), statistics()];
      const { masked } = mask;
      reconstructionTargets(runtime, {
        frames: clip,
        masked,
        out: target,
        mean,
        deviation,
        ...targetOptions(encoder, config.target ?? 'difference'),
      });
      const [, first, second] = await runtime.read(parts);
      const cubes = {
        masked: new Uint32Array(await runtime.readBytes(masked)),
        prediction: await runtime.read(prediction.array),
        mean: await runtime.read(mean),
        deviation: await runtime.read(deviation),
      };
      return { cubes, error: { first: first!, second: second! } };
    }),
  );
}
