import { loadStateDict } from '@tubelet/autograd';
import {
  finetuneStateDict,
  type Classifier,
  type FinetuneStateDict,
  type StatedEncoder,
} from '@tubelet/mae-dfer';
import { CheckpointFormatError } from '@tubelet/autograd/formats';
import { type EncoderOptions, UserError } from '@tubelet/trainer';
import { readWeightsFile, type WeightsFile, type WeightsSource } from '../classifier/weights-file.js';

export { encoderConfigOf, type WeightsSource } from '../classifier/weights-file.js';

export interface StartingWeightsOptions {
  /**
   * What to do with a head of other classes: leave it out, so that the classifier keeps its fresh one, or refuse the
   * file.
   */
  readonly otherHead: 'leave-out' | 'refuse';
  /** The classes to be told apart, in the order of the logits: a head of as many others is another head too. */
  readonly classNames?: readonly string[];
}

/** What loading weights to start from did with each name. */
export interface WeightsReport {
  readonly path: string;
  readonly source: WeightsSource;
  /** Parameters that now have the file's values. */
  readonly matched: readonly string[];
  /** Parameters that the file has nothing for: they keep their values. */
  readonly missing: readonly string[];
  /** Tensors of the file, under their names in a classifier, that a classifier has no use for. */
  readonly unused: readonly string[];
  /** Parts of the head that were left out, and why. */
  readonly leftOutHead: readonly string[];
  readonly notes: readonly string[];
}

/** The settings of an encoder with the options that set them. */
const OPTIONS = {
  kind: '--model',
  dim: '--dim',
  depth: '--depth',
  heads: '--heads',
  region: '--region',
  imageSize: '--image-size',
  frames: '--frames',
  interRegion: '--ablation',
  localGlobal: '--ablation',
  tubeletSize: null,
  patchSize: null,
} as const satisfies Record<keyof StatedEncoder, string | null>;

/** The ablation with this part of a block and without that one, as `--ablation` names it. */
function ablationOf({ interRegion, localGlobal }: StatedEncoder): EncoderOptions['ablation'] {
  if (interRegion) return localGlobal ? 'none' : 'no-local-global';
  return localGlobal ? 'no-inter-region' : 'local-only';
}

function optionFor(key: keyof StatedEncoder, stated: StatedEncoder): string | null {
  switch (key) {
    case 'kind':
      return stated.kind === 'vit' ? '--model vit-base' : '--model base (or another size of LGI-Former)';
    case 'region':
      return `--region ${stated.region!.join(',')}`;
    case 'interRegion':
    case 'localGlobal':
      return `--ablation ${ablationOf(stated)}`;
    default:
      return OPTIONS[key] === null ? null : `${OPTIONS[key]} ${stated[key]!}`;
  }
}

const shown = (value: unknown): string =>
  Array.isArray(value) ? value.join('×') : value === undefined ? 'none' : String(value);

/**
 * Checks that weights were made for the encoder that is to have them. Their shapes do not tell: other heads, regions
 * of another shape or clips of another length would be loaded and mean something else.
 *
 * @throws UserError naming each setting that differs, and the options that give the file's
 */
export function requireSameEncoder(path: string, stated: StatedEncoder, encoder: StatedEncoder): void {
  const keys = (Object.keys(OPTIONS) as (keyof StatedEncoder)[]).filter(
    (key) => stated[key] !== undefined && shown(stated[key]) !== shown(encoder[key]),
  );
  if (keys.length === 0) return;
  const differences = keys.map(
    (key) => `${key} is ${shown(stated[key])} there and ${shown(encoder[key])} here`,
  );
  const options = [...new Set(keys.map((key) => optionFor(key, stated)).filter((option) => option !== null))];
  throw new UserError(
    `the weights in ${path} belong to another encoder: ${differences.join('; ')}. ` +
      (options.length > 0
        ? `Set ${options.join(' ')}, or start from other weights.`
        : 'Start from other weights.'),
  );
}

const isHead = (name: string) => name === 'head.weight' || name === 'head.bias';
/** What pre-training has nothing for. */
const isFresh = (name: string) => isHead(name) || name.startsWith('fc_norm.');

/** Why the head of a file says nothing about these classes, or null where it does or the file does not tell. */
function otherClasses({ classifier }: WeightsFile, classNames: readonly string[] | undefined): string | null {
  const theirs = classifier?.classNames;
  if (!theirs || !classNames || theirs.join('\0') === classNames.join('\0')) return null;
  return `its classes are ${theirs.join(', ')}, and here they are ${classNames.join(', ')}`;
}

function fit(file: WeightsFile, classifier: Classifier, options: StartingWeightsOptions): FinetuneStateDict {
  const shapes = new Map([...classifier.store.parameters].map(([name, { array }]) => [name, array.shape]));
  const other = otherClasses(file, options.classNames);
  if (other !== null && options.otherHead === 'refuse') {
    throw new UserError(
      `the head in ${file.path} is for other classes: ${other}. Let it start fresh, or give another checkpoint.`,
    );
  }
  const tensors =
    other === null ? file.tensors : new Map([...file.tensors].filter(([name]) => !isHead(name)));
  try {
    const fitted = finetuneStateDict(tensors, shapes, options);
    return other === null ? fitted : { ...fitted, leftOutHead: [`head (${other})`] };
  } catch (error) {
    if (!(error instanceof CheckpointFormatError)) throw error;
    throw new UserError(`${file.path} cannot be used: ${error.message}`, { cause: error });
  }
}

/**
 * Gives a classifier the weights to start from: those of a checkpoint of Tubelet's pre-training or of a classifier, of
 * a safetensors file with the published names, or of an official `.pth`. Nothing is written when the file does not fit.
 *
 * @throws UserError when the file cannot be used, belongs to another encoder or lacks a part of it
 * @throws StateDictMismatchError when shapes differ; with `otherHead: 'refuse'` those of the head too
 */
export async function loadStartingWeights(
  path: string,
  classifier: Classifier,
  options: StartingWeightsOptions,
): Promise<WeightsReport> {
  const file = await readWeightsFile(path);
  requireSameEncoder(path, file.encoder, classifier.config.encoder);
  const { tensors, matched, missing, unused, leftOutHead } = fit(file, classifier, options);
  const lacking = missing.filter((name) => !isFresh(name));
  if (lacking.length > 0) {
    const names = `${lacking.slice(0, 4).join(', ')}${lacking.length > 4 ? ', …' : ''}`;
    throw new UserError(
      `${path} has nothing for ${lacking.length} of the encoder's ${lacking.length + matched.length} parameters (${names}); ` +
        `it holds ${[...file.tensors.keys()].slice(0, 3).join(', ')}, … Give weights of MAE-DFER or VideoMAE ` +
        'under their published names.',
    );
  }
  loadStateDict(classifier.store, tensors, { strict: false });
  return { path, source: file.source, matched, missing, unused, leftOutHead, notes: file.notes };
}

/** Names, with those of the decoder as one. */
function summarised(names: readonly string[]): string {
  const decoder = names.filter((name) => name.startsWith('decoder.'));
  const others = names.filter((name) => !name.startsWith('decoder.'));
  const listed = others.slice(0, 8);
  const more = others.length - listed.length;
  return [
    ...(decoder.length > 0 ? [`decoder.* (${decoder.length})`] : []),
    ...listed,
    ...(more > 0 ? [`${more} more`] : []),
  ].join(', ');
}

/** A few lines for the console; the log of a run has all names. */
export function formatWeightsReport(report: WeightsReport): string {
  const { path, source, matched, missing, unused, leftOutHead, notes } = report;
  const total = matched.length + missing.length;
  const lines = [`starting from ${path} (${[source, ...notes].join('; ')})`];
  lines.push(`  ${matched.length} of ${total} parameters loaded`);
  if (missing.length > 0) lines.push(`  ${missing.length} fresh: ${summarised(missing)}`);
  if (unused.length > 0) lines.push(`  ${unused.length} of the file not used: ${summarised(unused)}`);
  if (leftOutHead.length > 0) lines.push(`  left out: ${leftOutHead.join('; ')}`);
  return lines.join('\n');
}
