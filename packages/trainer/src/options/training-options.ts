import { LoneOptionError, OptionError } from '../errors.js';
import {
  bytes,
  choice,
  flag,
  flagOrAuto,
  flagOn,
  notNegative,
  positive,
  text,
  whole,
  withoutEffect,
  type ValuesOf,
} from './option-kinds.js';

/** Which folder a run has. */
export const folderOptions = withoutEffect({
  out: text('<dir>', 'folder of the run: config, log, TensorBoard events, checkpoints, report'),
  resume: flagOrAuto(
    'continue the run in --out from its latest sound checkpoint; with auto, begin one where there is none',
  ),
});

/** What a program has of its own among the options that all trainings share. */
export interface TrainingPresets {
  readonly epochs: number;
  readonly lr: number;
  readonly minLr: number;
  /** What an epoch passes over. */
  readonly samples: string;
  /** What the seed is of. */
  readonly seeded: string;
}

/** How steps are taken, but for the size of a batch. */
export function stepOptions({ epochs, lr, minLr, samples, seeded }: TrainingPresets) {
  return {
    epochs: whole('<n>', `passes over the ${samples}`).default(epochs),
    warmupEpochs: whole('<n>', 'epochs of linear warm-up', { min: 0 }).default(5),
    accumulate: whole('<n>', 'batches whose gradients make one step').default(1),
    lr: positive('<rate>', 'learning rate for 256 clips a step; scaled by clips / 256').default(lr),
    minLr: notNegative('<rate>', 'final learning rate, scaled likewise').default(minLr),
    weightDecay: notNegative('<w>', 'weight decay of AdamW').default(0.05),
    precision: choice(
      '<format>',
      'f16: blocks store what feeds products in f16, and matrix units multiply it where the GPU has some, under a dynamic ' +
        'loss scale; weights, the residual stream, sums and all else stay in f32',
      ['f32', 'f16'],
    ).default('f32'),
    seed: whole('<n>', `seed ${seeded}`, { min: 0 }).default(0),
  };
}

export interface RunningPresets {
  /** Steps between checkpoints, in words. */
  readonly saveEvery: string;
  readonly keep: number;
  /** Which checkpoints `--keep` counts. */
  readonly kept: string;
}

/** Of every command that decodes clips. */
export const workersOption = {
  workers: whole(
    '<n>',
    'decoders that run side by side (default: one for each processor but one)',
  ).optional(),
};

/** Of every command that computes on the GPU. */
export const gpuOption = {
  gpu: whole('<n>', 'which of several GPUs, counted from 0; under Linux only', { min: 0 }).optional(),
};

/** How a run is watched, stored and computed: nothing of it changes the result. */
export function runningOptions({ saveEvery, keep, kept }: RunningPresets) {
  return withoutEffect({
    saveEvery: whole('<steps>', `steps between checkpoints (default: ${saveEvery})`).optional(),
    keep: whole('<n>', kept).default(keep),
    keepEvery: whole('<epochs>', 'keep a checkpoint of every so many epochs for good').optional(),
    stopAfter: whole('<step>', 'stop with a checkpoint when this step is reached').optional(),
    maxSkipped: whole(
      '<n>',
      'end when so many steps in a row had values that were not finite, and were skipped (f16: once the loss scale is ' +
        'below 1)',
    ).default(10),
    reopenGpu: whole('<n>', 'times that a lost GPU is opened again without a new checkpoint in between', {
      min: 0,
    }).default(3),
    ...workersOption,
    decodeLimit: positive(
      '<s>',
      'leave a video out when it takes longer to decode a clip of it (default: a minute, and ten for ffmpeg)',
    ).optional(),
    ...gpuOption,
    recompute: flag(
      'keep only what enters each block, and run blocks again going back: a fraction of the memory for about a third ' +
        'more arithmetic, and the same numbers',
    ),
    dryRun: flag('say what a step takes of the GPU’s memory, and train nothing'),
    memoryBudget: bytes(
      '<size>',
      'with --dry-run: find the largest batch that fits in, e.g. 8GiB',
    ).optional(),
    autotune: flagOn('take the shipped variants of kernels, not those measured by `tubelet tune`'),
    profile: flag('time every kernel and print a table at the end'),
    trace: text(
      '<file>',
      'write when steps, waiting and every kernel took place, for ui.perfetto.dev; slows steps down',
    ).optional(),
    ...debugOption,
  });
}

/** Of every command. */
export const debugOption = { debug: flag('print stack traces of errors') };

/** The options that every training has. */
export type TrainingOptions = Readonly<
  ValuesOf<typeof folderOptions> &
    ValuesOf<ReturnType<typeof stepOptions>> &
    Omit<ValuesOf<ReturnType<typeof runningOptions>>, 'debug'> & {
      /** Clips on the GPU at once. */
      batchSize: number;
    }
>;

/** @throws OptionError naming the first option that does not fit the others */
export function requireFittingTraining(
  options: Pick<TrainingOptions, 'lr' | 'minLr' | 'epochs' | 'warmupEpochs' | 'memoryBudget' | 'dryRun'>,
): void {
  const { lr, minLr, epochs, warmupEpochs, memoryBudget, dryRun } = options;
  if (warmupEpochs > epochs) {
    throw new OptionError('--warmup-epochs', warmupEpochs, `at most the ${epochs} of --epochs`);
  }
  if (minLr > lr) throw new OptionError('--min-lr', minLr, `at most the ${lr} of --lr`);
  if (memoryBudget !== undefined && !dryRun) {
    throw new LoneOptionError('--memory-budget', memoryBudget, '--dry-run');
  }
}
