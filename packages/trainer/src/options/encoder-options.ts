import { lgiFormer, tokenGrid, vitBase, type EncoderConfig } from '@tubelet/mae-dfer';
import { CROP_MODES } from '@tubelet/video';
import { OptionError } from '../errors.js';
import { choice, whole, wholes, type ValuesOf } from './option-kinds.js';

export const MODELS = ['tiny', 'small', 'base', 'vit-base'] as const;
export const ABLATIONS = ['none', 'local-only', 'no-inter-region', 'no-local-global'] as const;

/** The options of an encoder's architecture. */
export const encoderOptions = {
  model: choice('<size>', `one of ${MODELS.join(', ')}`, MODELS).default('base'),
  ablation: choice('<name>', `one of ${ABLATIONS.join(', ')}`, ABLATIONS).default('none'),
  region: wholes('<t,h,w>', 'tokens of a local region', 3).default([2, 5, 10]),
  dim: whole('<n>', 'width of the encoder (default: by --model)').optional(),
  depth: whole('<n>', 'blocks of the encoder (default: by --model)').optional(),
  heads: whole('<n>', 'heads of the encoder (default: width / 64)').optional(),
};

/** The options of the clips that an encoder takes. */
export const clipOptions = {
  imageSize: whole('<px>', 'edge of the frames').default(160),
  frames: whole('<n>', 'frames of a clip').default(16),
};

const CROP_HELP = 'voxceleb: top centre of the frame; centre: its centred square; none: all of it, squashed';

/**
 * How frames become squares.
 *
 * @param note ends the help, where it must say itself what holds by default
 */
export const cropOption = (note = '') => choice('<mode>', `${CROP_HELP}${note}`, CROP_MODES);

/**
 * The same, with a square around a face that is found and followed.
 *
 * @param whose says in the help whose face that is
 * @param note as for `cropOption`
 */
export const faceCropOption = (whose: string, note = '') =>
  choice('<mode>', `face: ${whose}; ${CROP_HELP}${note}`, [...CROP_MODES, 'face']);

/** What describes an encoder and its clips. */
export type EncoderOptions = Readonly<ValuesOf<typeof encoderOptions & typeof clipOptions>>;

/**
 * The encoder that the options describe.
 *
 * @param given those that were given rather than left at their defaults
 * @throws OptionError naming the first that does not fit the others
 */
export function encoderConfig(
  options: EncoderOptions,
  given: ReadonlySet<string> = new Set(),
): EncoderConfig {
  const { model, ablation, dim, depth, heads, imageSize, frames, region } = options;
  const widths = Object.fromEntries(
    Object.entries({ dim, depth, heads }).filter(([, value]) => value !== undefined),
  );
  const clip = { imageSize, frames, ...widths };
  let encoder: EncoderConfig;
  if (model === 'vit-base') {
    if (ablation !== 'none') {
      throw new OptionError(
        '--ablation',
        ablation,
        'none with --model vit-base, which has no regions to ablate',
      );
    }
    if (given.has('region')) {
      throw new OptionError(
        '--region',
        region.join(','),
        'a model with regions, which --model vit-base is not',
      );
    }
    encoder = vitBase(clip);
  } else {
    const [t, h, w] = region as [number, number, number];
    encoder = lgiFormer(model, {
      ...clip,
      region: [t, h, w],
      interRegion: ablation === 'none' || ablation === 'no-local-global',
      localGlobal: ablation === 'none' || ablation === 'no-inter-region',
    });
  }
  requireFittingClip(encoder);
  requireFittingWidth('', encoder);
  return encoder;
}

function requireFittingClip(encoder: EncoderConfig): void {
  const { imageSize, patchSize, frames, tubeletSize } = encoder;
  if (imageSize % patchSize !== 0) {
    throw new OptionError('--image-size', imageSize, `a multiple of ${patchSize}, the edge of a cube`);
  }
  if (frames % tubeletSize !== 0) {
    throw new OptionError('--frames', frames, `a multiple of ${tubeletSize}, the frames of a cube`);
  }
  if (encoder.kind !== 'lgi-former') return;
  const grid = tokenGrid(encoder);
  if (encoder.region.some((extent, axis) => grid[axis]! % extent !== 0)) {
    throw new OptionError(
      '--region',
      encoder.region.join(','),
      `extents that divide the ${grid.join('×')} cubes of a clip (--frames / ${tubeletSize}, --image-size / ${patchSize})`,
    );
  }
}

/** @throws OptionError unless a width is even and divided by the heads; options are named with `prefix` */
export function requireFittingWidth(prefix: string, { dim, heads }: { dim: number; heads: number }): void {
  if (dim % 2 !== 0) throw new OptionError(`--${prefix}dim`, dim, 'an even width');
  if (dim % heads !== 0) {
    throw new OptionError(`--${prefix}heads`, heads, `a number that divides the width of ${dim}`);
  }
}
