import { lgiFormer, tokenGrid, vitBase, type EncoderConfig } from '@tubelet/mae-dfer';
import type { Command, Option } from 'commander';
import { OptionError } from '../errors.js';
import { valued, whole } from './option-groups.js';
import { choiceOption, wholeNumbersOption } from './readers.js';

export const MODELS = ['tiny', 'small', 'base', 'vit-base'] as const;
export const ABLATIONS = ['none', 'local-only', 'no-inter-region', 'no-local-global'] as const;

/** Options that describe an encoder and the clips it takes; the names are those of the command line. */
export interface EncoderOptions {
  readonly model: (typeof MODELS)[number];
  readonly ablation: (typeof ABLATIONS)[number];
  readonly region: readonly number[];
  readonly dim?: number;
  readonly depth?: number;
  readonly heads?: number;
  readonly imageSize: number;
  readonly frames: number;
}

/** The options of an encoder's architecture, for `addOptionGroups`. */
export function encoderOptions(): Option[] {
  return [
    valued('--model <size>', `one of ${MODELS.join(', ')}`, choiceOption('--model', MODELS), 'base'),
    valued(
      '--ablation <name>',
      `one of ${ABLATIONS.join(', ')}`,
      choiceOption('--ablation', ABLATIONS),
      'none',
    ),
    valued(
      '--region <t,h,w>',
      'tokens of a local region',
      wholeNumbersOption('--region', 3, { min: 1 }),
      [2, 5, 10],
    ),
    valued('--dim <n>', 'width of the encoder (default: by --model)', whole('--dim')),
    valued('--depth <n>', 'blocks of the encoder (default: by --model)', whole('--depth')),
    valued('--heads <n>', 'heads of the encoder (default: width / 64)', whole('--heads')),
  ];
}

/** The options of the clips that an encoder takes. */
export function clipOptions(): Option[] {
  return [
    valued('--image-size <px>', 'edge of the frames', whole('--image-size'), 160),
    valued('--frames <n>', 'frames of a clip', whole('--frames'), 16),
  ];
}

/**
 * The encoder that the options describe.
 *
 * @param command tells which of them were given
 * @throws {OptionError} naming the first that does not fit the others
 */
export function encoderConfig(options: EncoderOptions, command?: Command): EncoderConfig {
  const { model, ablation, dim, depth, heads, imageSize, frames, region } = options;
  const given = Object.fromEntries(
    Object.entries({ dim, depth, heads }).filter(([, value]) => value !== undefined),
  );
  const clip = { imageSize, frames, ...given };
  let encoder: EncoderConfig;
  if (model === 'vit-base') {
    if (ablation !== 'none') {
      throw new OptionError(
        '--ablation',
        ablation,
        'none with --model vit-base, which has no regions to ablate',
      );
    }
    if (command !== undefined && command.getOptionValueSource('region') !== 'default') {
      throw new OptionError('--region', region.join(','), 'no regions with --model vit-base');
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

/** Throws `OptionError` unless a width is even and divided by the heads; options are named with `prefix`. */
export function requireFittingWidth(prefix: string, { dim, heads }: { dim: number; heads: number }): void {
  if (dim % 2 !== 0) throw new OptionError(`--${prefix}dim`, dim, 'an even width');
  if (dim % heads !== 0) {
    throw new OptionError(`--${prefix}heads`, heads, `a number that divides the width of ${dim}`);
  }
}
