#!/usr/bin/env node
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { numberOption, OptionError, runCli, wholeNumberOption, type NumberRange } from '@tubelet/trainer';
import { FfmpegNotFoundError } from '@tubelet/video';
import { CLIPS_PER_CLASS_LIMIT } from './data-set.js';
import { makeFaces } from './make.js';
import { writeFailure } from './output-folder.js';
import { contactSheet } from './sheet.js';

const SHEET_COLUMNS = 8;

interface Options {
  out: string;
  seed: number;
  subjects: number;
  clipsPerClass: number;
  size: number;
  frames: number;
  framesPerSecond: number;
  folds: number;
  variety: number;
  workers: number;
  sheet?: string;
}

function whole(key: string, description: string, preset: number, range: NumberRange): Option {
  return new Option(`${key} <n>`, description).argParser(wholeNumberOption(key, range)).default(preset);
}

async function writeSheet(path: string, { seed, variety, size, frames }: Options): Promise<void> {
  const sheet = await contactSheet({ seed, variety, size, frames, columns: SHEET_COLUMNS });
  try {
    await mkdir(dirname(resolve(path)), { recursive: true });
    await writeFile(path, sheet);
  } catch (error) {
    throw writeFailure(path, error);
  }
  console.log(`contact sheet  ${path}`);
}

async function writeDataSet(options: Options): Promise<void> {
  const { out, workers, seed, subjects, clipsPerClass, size, frames, framesPerSecond, folds, variety } =
    options;
  const startMs = performance.now();
  const { wasThere, clips } = await makeFaces({
    folder: resolve(out),
    settings: { seed, subjects, clipsPerClass, size, frames, framesPerSecond, folds, variety },
    workers,
    onClip(done, total) {
      if (done === total || done % Math.ceil(total / 10) === 0)
        console.log(`drawn  ${done} of ${total} clips`);
    },
  });
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  const how = wasThere ? 'was there already' : `made in ${seconds} s`;
  console.log(`${clips} clips of ${subjects} drawn people, ${folds} folds: ${how}
labels   ${join(out, 'faces.csv')}
videos   ${join(out, 'clips')}`);
}

const program = new Command('faces')
  .description(
    'Draws a miniature labelled data set of schematic animated faces: seven expressions that rise and fall, ' +
      'fear being surprise shown backwards. For tests and demonstrations; it is no real data.',
  )
  .exitOverride()
  .showHelpAfterError('(add --help for all options)')
  .option('--out <folder>', 'folder of the data set; an earlier one there is replaced', 'data/faces')
  .addOption(whole('--seed', 'everything follows from it', 0, { min: 0 }))
  .addOption(whole('--subjects', 'number of people', 30, { min: 2, max: 10_000 }))
  .addOption(
    whole('--clips-per-class', 'clips of each class of each person', 2, {
      min: 1,
      max: CLIPS_PER_CLASS_LIMIT,
    }),
  )
  .addOption(whole('--size', 'edge of the frames in pixels, even', 96, { min: 16, max: 1024 }))
  .addOption(whole('--frames', 'frames of a clip', 32, { min: 2, max: 1000 }))
  .addOption(
    new Option('--frames-per-second <n>', 'how fast they are shown')
      .argParser(numberOption('--frames-per-second', { min: 1, max: 240 }))
      .default(16),
  )
  .addOption(whole('--folds', 'groups of people for cross-validation', 5, { min: 2 }))
  .addOption(
    new Option('--variety <share>', 'of pose, light, background and strength from clip to clip, 0 to 1')
      .argParser(numberOption('--variety', { min: 0, max: 1 }))
      .default(0.3),
  )
  .addOption(whole('--workers', 'drawing threads', Math.min(16, availableParallelism()), { min: 1, max: 64 }))
  .option('--sheet <file>', 'write a contact sheet (a PNG: classes by time) instead of a data set')
  .option('--debug', 'show the stack trace of an error')
  .action(async (options: Options) => {
    if (options.size % 2 !== 0) throw new OptionError('--size', options.size, 'an even number');
    if (options.folds > options.subjects) {
      throw new OptionError(
        '--folds',
        options.folds,
        `at most one for each of the ${options.subjects} people`,
      );
    }
    if (options.sheet === undefined) await writeDataSet(options);
    else await writeSheet(options.sheet, options);
  });

await runCli(
  async () => {
    await program.parseAsync();
  },
  { userErrors: [FfmpegNotFoundError] },
);
