import { OptionError, UserError } from '@tubelet/trainer';
import { DATASETS, type PublishedName } from '@tubelet/video';
import type { ClassifierDescription } from './classifier-file.js';
import { recipeOf } from '../shared/recipes.js';
import { encoderConfigOf, type WeightsFile } from './weights-file.js';

/** What a published classifier was trained on. */
export interface PublishedTraining {
  readonly name: PublishedName;
  /** Counted from 1. */
  readonly fold: number;
}

/**
 * What a classifier of the published code does not say about itself, from what it was trained on: its classes and how
 * its clips are cut out of videos. The rest follows from its tensors and the published recipes.
 *
 * @throws OptionError for a fold that the data set does not have; UserError for weights that are not a classifier
 * of these classes, or that say themselves what they are
 */
export async function publishedClassifier(
  { path, source, tensors }: WeightsFile,
  { name, fold }: PublishedTraining,
): Promise<ClassifierDescription> {
  const { title, classes, folds } = DATASETS[name];
  if (fold > folds) throw new OptionError('--fold', fold, folds === 1 ? `1 for ${title}` : `1 to ${folds}`);
  if (source !== 'published checkpoint') {
    throw new UserError(`${path} says itself what it was trained on: leave out --trained-on.`);
  }
  const head = tensors.get('head.weight');
  if (head === undefined) {
    throw new UserError(
      `${path} has no head.weight: it is not a classifier. If it is of pre-training, fine-tune it (tubelet finetune --from).`,
    );
  }
  if (head.shape[0] !== classes.length) {
    throw new UserError(
      `the head in ${path} tells ${head.shape[0]} classes apart, and ${title} has ${classes.length}: it was trained on ` +
        'another data set, to be named by --trained-on.',
    );
  }
  const encoder = await encoderConfigOf(path);
  if (encoder === undefined)
    throw new UserError(`${path} holds no LGI-Former and no ViT: it cannot be used.`);
  return {
    model: {
      encoder,
      classes: classes.length,
      pooling: encoder.kind === 'vit' ? 'original' : 'representative',
    },
    classNames: classes,
    clips: { frameStep: recipeOf(name).frameStep, crop: 'none' },
    data: { name, fold },
  };
}
