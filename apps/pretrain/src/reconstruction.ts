/** From a clip to what a pre-trained model makes of it, as rows of a picture. */
import { reconstructionTargets, type Runtime } from '@tubelet/kernels';
import {
  drawMask,
  drawTubeMask,
  targetOptions,
  type PretrainingConfig,
  type PretrainingModel,
} from '@tubelet/mae-dfer';
import {
  assemblePicture,
  maskFrames,
  reconstructFrames,
  type PictureRow,
  type PredictedCubes,
  type RowPicture,
} from './picture.js';

/** Which cubes are masked. */
export interface MaskSettings {
  /** `window`: as many positions of each region, as LGI-Former is trained; `tube`: positions of the whole frame. */
  readonly maskType: 'window' | 'tube';
  readonly seed: number;
  /** Draws another mask for each clip. */
  readonly sample?: number;
}

/** What is shown of a clip. */
export interface RowSettings extends MaskSettings {
  readonly maskRatios: readonly number[];
  /** Whether the predictions themselves are shown too: appearance, and differences on grey. */
  readonly predictionRow?: boolean;
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
 * A clip, and under it for each mask ratio what is masked, predicted and reconstructed; with a label for each row.
 *
 * @param frames [T, H, W, 3]
 */
export async function reconstructionPicture(
  model: PretrainingModel,
  frames: Uint8Array,
  { maskRatios, predictionRow = true, ...masks }: RowSettings,
): Promise<{ readonly picture: RowPicture; readonly rows: readonly PictureRow[] }> {
  const { encoder } = model.config;
  const groups: PictureRow[][] = [[{ label: 'the clip', caption: 'original', frames }]];
  for (const maskRatio of maskRatios) {
    const { cubes, error } = await predictClip(model.engine.runtime, model, frames, {
      ...masks,
      maskRatio,
    });
    const rows = rowsOf(frames, cubes, model.config, maskRatio, error);
    groups.push(predictionRow ? rows : rows.filter((row) => row.caption !== PREDICTION));
  }
  const picture = assemblePicture(groups, { frameSize: encoder.imageSize, frameCount: encoder.frames });
  return { picture, rows: groups.flat() };
}

/**
 * Predicts the masked cubes of one clip.
 *
 * @param frames [T, H, W, 3]
 */
export async function predictClip(
  runtime: Runtime,
  model: PretrainingModel,
  frames: Uint8Array,
  { maskRatio, maskType, seed, sample = 0 }: MaskSettings & { readonly maskRatio: number },
): Promise<{ cubes: PredictedCubes; error: ClipError }> {
  const { engine, config } = model;
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

const PREDICTION = 'prediction';
const RECONSTRUCTION = 'reconstruction';

function rowsOf(
  frames: Uint8Array,
  cubes: PredictedCubes,
  { encoder, target = 'difference' }: PretrainingConfig,
  maskRatio: number,
  { first, second }: ClipError,
): PictureRow[] {
  const { parts, whole } = reconstructFrames(frames, cubes, encoder, target);
  const share = `${+(maskRatio * 100).toFixed(2)} %`;
  const masked = {
    label: `masked at ${share}`,
    caption: `masked ${share}`,
    frames: maskFrames(frames, cubes.masked, encoder),
  };
  const errors = (one: string, other: string) =>
    `mean-square error ${first.toFixed(3)} of ${one}, ${second.toFixed(3)} of ${other}`;
  if (target === 'pixels') {
    const label = `its reconstruction (${errors('first frames of cubes', 'second frames')})`;
    return [masked, { label, caption: RECONSTRUCTION, frames: whole }];
  }
  return [
    masked,
    {
      label: 'what the model predicts: appearance, then the difference to it on grey, in turn',
      caption: PREDICTION,
      frames: parts,
    },
    {
      label: `its reconstruction, differences added (${errors('appearance', 'motion')})`,
      caption: RECONSTRUCTION,
      frames: whole,
    },
  ];
}
