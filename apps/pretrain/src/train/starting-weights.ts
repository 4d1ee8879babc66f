/** Weights to begin a pre-training with. */
import { loadStateDict } from '@tubelet/autograd';
import type { EncoderConfig } from '@tubelet/mae-dfer';
import { UserError, type FirstWeights } from '@tubelet/trainer';
import { fileOf, readPretrained } from '../shared/pretrained-file.js';
import type { TrainingState } from './training-state.js';

const isEncoder = (name: string) => name.startsWith('encoder.');

/** A few names, and how many there are. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 6).join(', ');
  return names.length > 6 ? `${shown}, and ${names.length - 6} more` : shown;
}

/** Settings that the tensors do not tell: with another value the same weights mean something else. */
function unseenSettings(encoder: EncoderConfig) {
  return {
    heads: String(encoder.heads),
    region: encoder.kind === 'lgi-former' ? encoder.region.join(',') : 'none',
  };
}

function requireSameSettings(path: string, theirs: EncoderConfig, ours: EncoderConfig): void {
  const [there, here] = [unseenSettings(theirs), unseenSettings(ours)];
  const differences = (['heads', 'region'] as const)
    .filter((key) => there[key] !== here[key])
    .map((key) => `--${key} is ${there[key]} there and ${here[key]} here`);
  if (differences.length === 0) return;
  throw new UserError(`--from: the weights in ${path} belong to another encoder: ${differences.join('; ')}.`);
}

/**
 * Gives a masked autoencoder the weights of a checkpoint of pre-training: one of `pretrain`, or a published `.pth` of
 * MAE-DFER or VideoMAE. All of the encoder must be there; what the decoder has in other shapes, or not at all, keeps
 * its values. The optimiser, the schedule and the epochs begin anew. Nothing is written where the file does not fit.
 *
 * @param place a file, or the folder of a run
 * @throws UserError when it cannot be read or is of something else, or its encoder is another one, naming what
 * differs;
 *   CheckpointCorruptError
 */
export async function loadStartingWeights(
  place: string,
  { model }: Pick<TrainingState, 'model'>,
): Promise<FirstWeights> {
  const path = await fileOf('--from', place);
  const { encoder } = model.config;
  const { config, weights } = await readPretrained(path, 'region' in encoder ? encoder.region : undefined);
  // Published files do not tell: these settings would be guesses.
  if (!/\.(pth|pt)$/i.test(path)) requireSameSettings(path, config.encoder, encoder);
  const shapes = new Map(
    [...model.store.parameters].map(([name, { array }]) => [name, array.shape.join('×')]),
  );
  const shapeOf = (name: string) => weights.get(name)?.shape.join('×');
  const loaded = [...shapes.keys()].filter((name) => shapeOf(name) === shapes.get(name));
  const fresh = [...shapes.keys()].filter((name) => shapeOf(name) !== shapes.get(name));
  const unused = [...weights.keys()].filter((name) => shapeOf(name) !== shapes.get(name));
  const amiss = [...new Set([...fresh, ...unused])].filter(isEncoder);
  if (amiss.length > 0) {
    const texts = amiss.map(
      (name) => `${name} (${shapeOf(name) ?? 'absent'} there, ${shapes.get(name) ?? 'absent'} here)`,
    );
    throw new UserError(
      `--from: the weights in ${path} belong to another encoder: ${listed(texts)}. Describe theirs by --model, ` +
        '--ablation, --region, --dim and --depth, or start from other weights.',
    );
  }
  const tensors = new Map(loaded.map((name) => [name, weights.get(name)!]));
  loadStateDict(model.store, tensors, { strict: false });
  const note = [
    `starting from ${path}`,
    `  ${loaded.length} of ${shapes.size} parameters loaded`,
    ...(fresh.length > 0 ? [`  ${fresh.length} fresh: ${listed(fresh)}`] : []),
    ...(unused.length > 0 ? [`  ${unused.length} of the file not used: ${listed(unused)}`] : []),
  ].join('\n');
  return { note, record: { path, loaded, fresh, unused } };
}
