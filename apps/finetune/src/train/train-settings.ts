import { validateEncoder, type ClassifierConfig, type EncoderConfig } from '@tubelet/mae-dfer';
import { encoderConfig, OptionError, type JsonValue } from '@tubelet/trainer';
import { encoderConfigOf } from './starting-weights.js';
import { trainOptions, type RunOptions } from './train-options.js';

/** Options that describe an architecture: where any is given, `--from` does not decide it. */
const ARCHITECTURE = ['model', 'ablation', 'region', 'dim', 'depth', 'heads', 'imageSize', 'frames'];

/**
 * The encoder to train: that of `--from` as far as the file states it where no option of the architecture is given,
 * else the one that the options describe.
 */
export async function trainedEncoder(
  options: RunOptions,
  given: ReadonlySet<string>,
): Promise<EncoderConfig> {
  const described = encoderConfig(options, given);
  const isGiven = ARCHITECTURE.some((name) => given.has(name));
  if (options.from === undefined || isGiven) return described;
  return (await encoderConfigOf(options.from)) ?? described;
}

/**
 * The classifier that the options describe.
 *
 * @throws OptionError for a pooling that the encoder does not have
 */
export function configOf({ pooling }: RunOptions, encoder: EncoderConfig, classes: number): ClassifierConfig {
  validateEncoder(encoder);
  if (encoder.kind === 'vit' && pooling !== undefined && pooling !== 'original') {
    throw new OptionError('--pooling', pooling, 'original: a ViT has no representative tokens');
  }
  return { encoder, classes, pooling: pooling ?? (encoder.kind === 'vit' ? 'original' : 'representative') };
}

// Said by the model's configuration, or by the list of videos.
const SAID_OTHERWISE = new Set([...ARCHITECTURE, 'pooling', 'fold', 'root', 'from', 'classesFile']);

/**
 * The settings that decide the result of a run, with the values in use: a resumed run must have the same.
 *
 * @param videos names the videos of each part
 */
export function bindingSettings(
  options: RunOptions,
  model: ClassifierConfig,
  fold: number,
  videos: Readonly<Record<string, string>>,
  classNames: readonly string[],
): Record<string, JsonValue> {
  const { encoder, pooling } = model;
  const decisive = Object.entries(trainOptions.decisive(options)).filter(
    ([name]) => !SAID_OTHERWISE.has(name),
  );
  return {
    ...videos,
    fold,
    classNames,
    model: { ...encoder } as unknown as JsonValue,
    pooling,
    from: options.from ?? null,
    ...Object.fromEntries(decisive),
  };
}
