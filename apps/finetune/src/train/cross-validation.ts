import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ClassifierConfig } from '@tubelet/mae-dfer';
import { readLaunch } from '@tubelet/mpi';
import {
  type Evaluation,
  logPath,
  LoneOptionError,
  OptionError,
  readLog,
  readRunConfig,
  requireSameSettings,
  requireSameShare,
  savedSettings,
  UserError,
} from '@tubelet/trainer';
import type { Dataset } from '@tubelet/video';
import { resolveCheckpoint } from '../shared/checkpoint-place.js';
import { videosOfFold } from '../shared/data-source.js';
import { foldSettings, sharedSettings } from './fold-settings.js';
import { readTest, reportCrossValidation } from './test-report.js';
import type { RunOptions } from './train-options.js';
import { train } from './train.js';

/** The run folder of a fold. */
export function foldDirectory(directory: string, fold: number): string {
  return join(directory, `fold-${fold}`);
}

/** The checkpoint that a run has logged to have begun with; undefined where it has none, or not logged it yet. */
async function loggedStart(directory: string): Promise<string | undefined> {
  if (!existsSync(logPath(directory))) return undefined;
  for await (const { type, path } of readLog(logPath(directory))) {
    if (type === 'starting-weights') return String(path);
  }
  return undefined;
}

/**
 * The checkpoint that all folds begin with: that of the folds that are there already, else the one that `--from` means.
 *
 * @throws UserError when those that are there began with several
 */
async function startingFileOf({ out, from, resume }: RunOptions, folds: number): Promise<string | undefined> {
  if (from === undefined) return undefined;
  const begun = new Map<string, string>();
  for (let fold = 1; resume && fold <= folds; fold++) {
    const directory = foldDirectory(out, fold);
    const path = await loggedStart(directory);
    if (path !== undefined) begun.set(path, directory);
  }
  if (begun.size > 1) {
    const each = [...begun].map(([path, directory]) => `${directory} with ${path}`).join(', ');
    throw new UserError(
      `folds began with different checkpoints: ${each}. Keep those that began with one, remove the folders of the ` +
        'others, and train them again.',
    );
  }
  return [...begun.keys()][0] ?? resolveCheckpoint(from);
}

/**
 * Trains and tests every fold, one after the other, each as a run of its own in `fold-…`, and merges the results. With
 * `--resume`, folds that are tested already are taken as they are, one that was interrupted goes on, the others begin.
 *
 * @throws UserError when a fold was begun with other settings: folds of different trainings are not one result
 */
export async function crossValidate(
  dataset: Dataset,
  options: RunOptions,
  config: ClassifierConfig,
  commandLine: readonly string[],
): Promise<void> {
  if (options.stopAfter !== undefined) {
    throw new LoneOptionError('--stop-after', options.stopAfter, 'a single --fold');
  }
  if (options.trace !== undefined) throw new LoneOptionError('--trace', options.trace, 'a single --fold');
  const ranks = readLaunch(process.env)?.size ?? 1;
  if (ranks > 1) throw new OptionError('--fold', 'all', `one fold at a time for a job of ${ranks} ranks`);
  const evaluations: Evaluation[] = [];
  // The newest checkpoint of a run may be another when the next fold begins. The settings keep --from as it was given:
  // a fold that was trained by itself has it so.
  const startingFile = await startingFileOf(options, dataset.folds);
  const settingsOf = (fold: number) =>
    foldSettings({ dataset, fold, options, config }, videosOfFold(dataset, fold, options));
  for (let fold = 1; fold <= dataset.folds; fold++) {
    const out = foldDirectory(options.out, fold);
    const hasBegun = existsSync(join(out, 'config.json'));
    const done = options.resume ? await readTest(out) : undefined;
    console.log(`fold ${fold} of ${dataset.folds}${done ? ' is tested already' : ''}: ${out}`);
    if (done) {
      const saved = readRunConfig(out);
      requireSameShare(saved, { ...options, out }, 1);
      requireSameSettings(out, savedSettings(saved), settingsOf(fold));
      evaluations.push(done);
      continue;
    }
    const resume = options.resume && hasBegun;
    const result = await train({
      dataset,
      fold,
      options: { ...options, out, resume },
      config,
      startingFile,
      commandLine,
    });
    if (!result.finished) {
      console.log('stopped: the same command with --resume goes on with this fold');
      return;
    }
    if (result.test) evaluations.push(result.test);
  }
  if (evaluations.length === 0) return;
  await reportCrossValidation(evaluations, dataset, options, config, sharedSettings(settingsOf(1)));
}
