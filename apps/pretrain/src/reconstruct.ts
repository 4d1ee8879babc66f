import { existsSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import sharp from 'sharp';
import { Engine, loadStateDict } from '@tubelet/autograd';
import { reconstructionTargets, windowMaskCounts, type Runtime } from '@tubelet/kernels';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import {
  drawMask,
  maskDesign,
  PretrainingModel,
  regionOf,
  targetOptions,
  type EncoderConfig,
  type PretrainingConfig,
} from '@tubelet/mae-dfer';
import { checkpointWeights, FileWriteError, loadCheckpoint, OptionError, UserError } from '@tubelet/trainer';
import { readClip, squareFrames, type CodedFrames } from '@tubelet/video';
import {
  assemblePicture,
  maskFrames,
  reconstructFrames,
  type Picture,
  type PictureRow,
  type PredictedCubes,
} from './picture.js';
import type { ReconstructOptions } from './reconstruct-options.js';
import { checkpointConfig, untrainedPart } from './training-state.js';

/** A video, or what is left of it from the asked time on, has too few frames for a clip. */
export class VideoTooShortError extends UserError {
  override readonly name = 'VideoTooShortError';

  constructor(
    readonly path: string,
    readonly frameCount: number,
    firstFrame: number,
    neededFrames: number,
    frameStep: number,
  ) {
    const remedies = [
      ...(firstFrame > 0 ? ['an earlier --start-seconds'] : []),
      ...(frameStep > 1 ? [`a --frame-step below ${frameStep}`] : []),
      'a longer video',
    ];
    super(
      `${path} is too short: a clip needs ${neededFrames} frames, and it has ${frameCount - firstFrame} from frame ` +
        `${firstFrame} on. Give ${remedies.join(' or ')}.`,
    );
  }
}

/** The picture cannot be written where it is asked for. */
export class PictureFolderError extends UserError {
  override readonly name = 'PictureFolderError';

  constructor(
    readonly path: string,
    readonly folder: string,
  ) {
    super(`cannot write ${path}: there is no folder ${folder}. Create it, or name another with --out.`);
  }
}

/**
 * How well the masked cubes of a clip were predicted: mean-square errors of normalised values, of the first frames of
 * cubes and of the second ones or what they differ by.
 */
export interface ClipError {
  readonly first: number;
  readonly second: number;
}

/** Reconstructs one clip of a video with a trained model and writes the picture; prints what its rows are. */
export async function reconstruct(video: string, options: ReconstructOptions): Promise<void> {
  requirePicturePath(options.out);
  const checkpoint = await loadCheckpoint(options.checkpoint);
  const config = checkpointConfig(options.checkpoint, checkpoint);
  const { encoder } = config;
  const untrained = untrainedPart(checkpoint);
  requireMaskRatios(encoder, options.maskRatios);
  const clip = await readWholeClip(video, encoder, options);

  const runtime = await openNodeRuntime();
  try {
    const frames = await squareFrames(runtime, clip, encoder.imageSize);
    const model = new PretrainingModel(new Engine(runtime), config);
    loadStateDict(model.store, checkpointWeights(checkpoint));
    const { picture, labels } = await reconstructionPicture(model, frames, options);
    await writePicture(options.out, picture);
    console.log(
      [
        `${options.out} (${picture.width}×${picture.height}), one column for each of ${encoder.frames} frames:`,
        ...labels.map((label, row) => `row ${row + 1}  ${label}`),
        'Targets are normalised, so masked cubes are shown with the mean and contrast of their true pixels.',
        ...(untrained
          ? [`This model was not trained to predict ${untrained}: what it shows of it means nothing.`]
          : []),
      ].join('\n'),
    );
  } finally {
    closeNodeRuntime(runtime);
  }
}

/**
 * A clip, and under it for each mask ratio what is masked, predicted and reconstructed; with a label for each row.
 *
 * @param frames [T, H, W, 3]
 */
export async function reconstructionPicture(
  model: PretrainingModel,
  frames: Uint8Array,
  { maskRatios, seed }: { readonly maskRatios: readonly number[]; readonly seed: number },
): Promise<{ readonly picture: Picture; readonly labels: readonly string[] }> {
  const { encoder } = model.config;
  const groups: PictureRow[][] = [[{ label: 'the clip', frames }]];
  for (const maskRatio of maskRatios) {
    const { cubes, error } = await predictClip(model.engine.runtime, model, frames, { maskRatio, seed });
    groups.push(rowsOf(frames, cubes, model.config, maskRatio, error));
  }
  const picture = assemblePicture(groups, { frameSize: encoder.imageSize, frameCount: encoder.frames });
  return { picture, labels: groups.flat().map(({ label }) => label) };
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
  { maskRatio, seed }: { maskRatio: number; seed: number },
): Promise<{ cubes: PredictedCubes; error: ClipError }> {
  const { engine, config } = model;
  const { encoder } = config;
  const { imageSize } = encoder;
  return engine.step(() =>
    engine.noGrad(async () => {
      const clip = runtime.upload(frames, [1, encoder.frames, imageSize, imageSize, 3]);
      const mask = drawMask(runtime, encoder, maskRatio, { seed, epoch: 0, samples: [0] });
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

function rowsOf(
  frames: Uint8Array,
  cubes: PredictedCubes,
  { encoder, target = 'difference' }: PretrainingConfig,
  maskRatio: number,
  { first, second }: ClipError,
): PictureRow[] {
  const { parts, whole } = reconstructFrames(frames, cubes, encoder, target);
  const share = `${+(maskRatio * 100).toFixed(2)} %`;
  const masked = { label: `masked at ${share}`, frames: maskFrames(frames, cubes.masked, encoder) };
  const errors = (one: string, other: string) =>
    `mean-square error ${first.toFixed(3)} of ${one}, ${second.toFixed(3)} of ${other}`;
  if (target === 'pixels') {
    const label = `its reconstruction (${errors('first frames of cubes', 'second frames')})`;
    return [masked, { label, frames: whole }];
  }
  return [
    masked,
    {
      label: 'what the model predicts: appearance, then the difference to it on grey, in turn',
      frames: parts,
    },
    { label: `its reconstruction, differences added (${errors('appearance', 'motion')})`, frames: whole },
  ];
}

/** One clip without repeated frames. Throws `VideoTooShortError`, or `VideoDecodeError`. */
export async function readWholeClip(
  video: string,
  { imageSize, frames: count }: EncoderConfig,
  { frameStep, crop, startSeconds }: Pick<ReconstructOptions, 'frameStep' | 'crop' | 'startSeconds'>,
): Promise<CodedFrames> {
  const { frames, indices, info } = await readClip(video, {
    size: imageSize,
    frames: count,
    step: frameStep,
    crop,
    startSeconds,
  });
  const first = indices[0]!;
  if (indices.at(-1) !== first + (count - 1) * frameStep) {
    // Clips step only to frames before a video's last.
    throw new VideoTooShortError(video, info.frameCount, first, (count - 1) * frameStep + 2, frameStep);
  }
  return frames;
}

/** Throws `OptionError` for a ratio so small that no position of a window is masked. */
function requireMaskRatios(encoder: EncoderConfig, maskRatios: readonly number[]): void {
  for (const maskRatio of maskRatios) {
    if (windowMaskCounts(maskDesign(encoder, maskRatio)).maskedCount > 0) continue;
    const [, height, width] = regionOf(encoder);
    const positions = height * width;
    const least = (Math.ceil(1000 / positions) / 1000).toFixed(3);
    throw new OptionError(
      '--mask-ratios',
      maskRatio,
      `shares of at least ${least}: this model masks by windows of ${positions} positions`,
    );
  }
}

/** Throws before any work is done for a picture that could not be written. */
function requirePicturePath(path: string): void {
  if (!/\.png$/i.test(path)) throw new OptionError('--out', path, 'the name of a PNG file, ending in .png');
  const folder = dirname(path);
  if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new PictureFolderError(path, folder);
}

/** A picture as the bytes of a PNG file. */
export function encodePng({ data, width, height }: Picture): Promise<Buffer> {
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 9 })
    .toBuffer();
}

async function writePicture(path: string, picture: Picture): Promise<void> {
  const png = await encodePng(picture);
  try {
    await writeFile(path, png);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : null;
    throw new FileWriteError(path, code, png.length, null, 'No picture was written.', { cause });
  }
}
