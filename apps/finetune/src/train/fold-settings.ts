import type { JsonValue } from '@tubelet/trainer';
import { labelledFingerprint, type RunVideos } from '../shared/data-source.js';
import type { TrainRequest } from './fold-training.js';
import { bindingSettings } from './train-settings.js';

/** The settings that decide the result of a fold, its videos among them. */
export function foldSettings(
  { dataset, fold, options, config }: Omit<TrainRequest, 'startingFile' | 'commandLine'>,
  { train, validation, test }: RunVideos,
): Record<string, JsonValue> {
  const named = {
    train: labelledFingerprint(train),
    validation: labelledFingerprint(validation),
    test: labelledFingerprint(test),
  };
  return bindingSettings(options, config, fold, named, dataset.classes);
}

// What each fold has of its own.
const OF_ONE_FOLD = new Set(['train', 'validation', 'test', 'fold']);

/** Those that all folds of a cross-validation share. */
export function sharedSettings(settings: Readonly<Record<string, JsonValue>>): Record<string, JsonValue> {
  return Object.fromEntries(Object.entries(settings).filter(([key]) => !OF_ONE_FOLD.has(key)));
}
