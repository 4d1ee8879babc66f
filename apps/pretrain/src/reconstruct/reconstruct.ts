import { existsSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { Engine, loadStateDict } from '@tubelet/autograd';
import { windowMaskCounts } from '@tubelet/kernels';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { maskDesign, PretrainingModel, tokenGrid, type EncoderConfig, type Extents } from '@tubelet/mae-dfer';
import { OptionError, UserError } from '@tubelet/trainer';
import { readClip, squareFrames, type CodedFrames } from '@tubelet/video';
import { encodeRows, writePng, type CaptionedRows } from './picture-file.js';
import { fileOf, readPretrained } from '../shared/pretrained-file.js';
import type { ReconstructOptions } from './reconstruct-options.js';
import { reconstructionPicture } from './reconstruction.js';
import type { TrainedClips } from '../train/training-state.js';

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

/** Clips of checkpoints that do not say what theirs were. */
const DEFAULT_CLIPS: TrainedClips = { frameStep: 4, crop: 'centre' };

/**
 * Reconstructs one clip of each video with a trained model and writes the picture; prints what its rows are. Clips are
 * those of the training where the options do not say otherwise.
 */
export async function reconstruct(videos: readonly string[], options: ReconstructOptions): Promise<void> {
  requirePicturePath(options.out);
  const {
    config,
    weights,
    clips: trained = DEFAULT_CLIPS,
    untrained,
  } = await readPretrained(
    await fileOf('--checkpoint', options.checkpoint),
    options.region as Extents | undefined,
  );
  const { encoder } = config;
  requireRegion(encoder, options.region);
  const { maskRatios, seed, predictionRow } = options;
  const maskType = maskTypeOf(encoder, options.maskType);
  requireMaskRatios(encoder, maskType, maskRatios);
  const settings = {
    frameStep: options.frameStep ?? trained.frameStep,
    crop: options.crop ?? trained.crop,
    startSeconds: options.startSeconds,
  };
  const clips: ShownClip[] = [];
  for (const video of videos) clips.push(await readShownClip(video, encoder, settings));

  const parts: CaptionedRows[] = [];
  const lines: string[] = [];
  const runtime = await openNodeRuntime({ gpu: options.gpu });
  try {
    const model = new PretrainingModel(new Engine(runtime), config);
    loadStateDict(model.store, weights);
    for (const [sample, { frames: coded, note }] of clips.entries()) {
      const frames = await squareFrames(runtime, coded, encoder.imageSize);
      const shown = { maskRatios, maskType, seed, sample, predictionRow };
      const { picture, rows } = await reconstructionPicture(model, frames, shown);
      const title = basename(videos[sample]!);
      parts.push({ title, picture, captions: rows.map(({ label, caption = label }) => caption) });
      if (videos.length > 1) lines.push(`${videos[sample]}:`);
      lines.push(...rows.map(({ label }, row) => `row ${row + 1}  ${label}`));
      if (note !== undefined) lines.push(note);
    }
  } finally {
    closeNodeRuntime(runtime);
  }
  const { png, width, height } = await encodeRows(parts, options);
  await writePng(options.out, png);
  console.log(
    [
      `${options.out} (${width}×${height}), one column for each of ${encoder.frames} frames ` +
        `(frame step ${settings.frameStep}, crop ${settings.crop}, mask type ${maskType}):`,
      ...lines,
      'Targets are normalised, so masked cubes are shown with the mean and contrast of their true pixels.',
      ...(maskType === 'tube' && encoder.kind === 'lgi-former'
        ? ['In training each region had as many visible positions; with these masks it has more or fewer.']
        : []),
      ...(untrained
        ? [`This model was not trained to predict ${untrained}: what it shows of it means nothing.`]
        : []),
    ].join('\n'),
  );
}

/** A clip to be reconstructed. */
export interface ShownClip {
  readonly frames: CodedFrames;
  /** What is to be said of it. */
  readonly note?: string;
}

/**
 * One clip of a video; where the video ends first, its last frame is repeated, as in training.
 *
 * @throws VideoDecodeError
 */
export async function readShownClip(
  video: string,
  { imageSize, frames: count }: EncoderConfig,
  { frameStep, crop, startSeconds }: TrainedClips & { readonly startSeconds: number },
): Promise<ShownClip> {
  const { frames, indices, info } = await readClip(video, {
    size: imageSize,
    frames: count,
    step: frameStep,
    crop,
    startSeconds,
  });
  const last = indices.at(-1)!;
  const different = indices.indexOf(last) + 1;
  if (different === count) return { frames };
  const remedies = [
    ...(startSeconds > 0 ? ['an earlier --start-seconds'] : []),
    ...(frameStep > 1 ? [`a --frame-step below ${frameStep}`] : []),
  ];
  const remedy = remedies.length > 0 ? ` For more of it give ${remedies.join(' or ')}.` : '';
  return {
    frames,
    note:
      `${video} has ${info.frameCount} frames: from column ${different} on the clip repeats one, as in training.` +
      remedy,
  };
}

/** @throws OptionError where the model has other regions than were asked for */
function requireRegion(encoder: EncoderConfig, asked: readonly number[] | undefined): void {
  const region = encoder.kind === 'lgi-former' ? encoder.region.join(',') : undefined;
  if (asked === undefined || asked.join(',') === region) return;
  const expected =
    region === undefined ? 'none for a ViT, which has no regions' : `${region}, as the checkpoint says`;
  throw new OptionError('--region', asked.join(','), expected);
}

/**
 * The masks that are asked for, or those of the training.
 *
 * @throws OptionError for windows of a ViT
 */
function maskTypeOf({ kind }: EncoderConfig, asked: 'window' | 'tube' | undefined): 'window' | 'tube' {
  if (kind === 'vit' && asked === 'window') {
    throw new OptionError('--mask-type', asked, 'tube for a ViT, which has no regions');
  }
  return asked ?? (kind === 'vit' ? 'tube' : 'window');
}

/** @throws OptionError for a ratio so small that no position of a window, or of a frame, is masked */
function requireMaskRatios(
  encoder: EncoderConfig,
  maskType: 'window' | 'tube',
  maskRatios: readonly number[],
): void {
  const grid = tokenGrid(encoder);
  for (const maskRatio of maskRatios) {
    const design =
      maskType === 'tube' ? ({ grid, maskRatio, kind: 'tube' } as const) : maskDesign(encoder, maskRatio);
    const { maskedCount, region } = windowMaskCounts(design);
    if (maskedCount > 0) continue;
    const positions = region[1] * region[2];
    const least = (Math.ceil(1000 / positions) / 1000).toFixed(3);
    throw new OptionError(
      '--mask-ratios',
      maskRatio,
      `shares of at least ${least}: masks are of ${positions} positions here`,
    );
  }
}

/** @throws before any work is done for a picture that could not be written */
function requirePicturePath(path: string): void {
  if (!/\.png$/i.test(path)) throw new OptionError('--out', path, 'the name of a PNG file, ending in .png');
  const folder = dirname(path);
  if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new PictureFolderError(path, folder);
}
