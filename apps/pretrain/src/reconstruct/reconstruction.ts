/** From a clip to what a pre-trained model makes of it, as rows of a picture. */
import {
  maskFrames,
  predictClip,
  reconstructFrames,
  type ClipError,
  type MaskSettings,
  type PredictedCubes,
  type PretrainingConfig,
  type PretrainingModel,
} from '@tubelet/mae-dfer';
import { assemblePicture, type PictureRow, type RowPicture } from './picture.js';

/** What is shown of a clip. */
export interface RowSettings extends MaskSettings {
  readonly maskRatios: readonly number[];
  /** Whether the predictions themselves are shown too: appearance, and differences on grey. */
  readonly predictionRow?: boolean;
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
    const { cubes, error } = await predictClip(model, frames, {
      ...masks,
      maskRatio,
    });
    const rows = rowsOf(frames, cubes, model.config, maskRatio, error);
    groups.push(predictionRow ? rows : rows.filter((row) => row.caption !== PREDICTION));
  }
  const picture = assemblePicture(groups, { frameSize: encoder.imageSize, frameCount: encoder.frames });
  return { picture, rows: groups.flat() };
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
