import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { debugOption, option, OptionError, optionSet, type ValuesOfSet } from '@tubelet/trainer';
import { CLIPS_PER_CLASS_LIMIT } from './data-set.js';
import { makeFaces } from './make.js';
import { writeFailure } from './output-folder.js';
import { contactSheet } from './sheet.js';

const SHEET_COLUMNS = 8;

const facesOptions = optionSet({
  'Options:': {
    out: option
      .text('<folder>', 'folder of the data set; an earlier one there is replaced')
      .default('data/faces'),
    seed: option.whole('<n>', 'seed from which everything follows', { min: 0 }).default(0),
    subjects: option.whole('<n>', 'number of people', { min: 2, max: 10_000 }).default(30),
    clipsPerClass: option
      .whole('<n>', 'clips of each class of each person', { min: 1, max: CLIPS_PER_CLASS_LIMIT })
      .default(2),
    size: option.whole('<n>', 'edge of the frames in pixels, even', { min: 16, max: 1024 }).default(96),
    frames: option.whole('<n>', 'frames of a clip', { min: 2, max: 1000 }).default(32),
    framesPerSecond: option.number('<n>', 'how fast they are shown', { min: 1, max: 240 }).default(16),
    folds: option.whole('<n>', 'groups of people for cross-validation', { min: 2 }).default(5),
    variety: option
      .share('<share>', 'how much pose, light, background and strength vary from clip to clip, 0 to 1')
      .default(0.3),
    hold: option
      .number('<share>', 'least share of a clip for which its expression is whole', {
        min: 0,
        max: 0.9,
        belowMax: true,
      })
      .default(0),
    workers: option
      .whole('<n>', 'drawing threads', { min: 1, max: 64 })
      .default(Math.min(16, availableParallelism())),
    sheet: option
      .text('<file>', 'write a contact sheet (a PNG: classes by time) instead of a data set')
      .optional(),
    ...debugOption,
  },
});
type Options = ValuesOfSet<typeof facesOptions>;

async function writeSheet(path: string, { seed, variety, hold, size, frames }: Options): Promise<void> {
  const sheet = await contactSheet({ seed, variety, hold, size, frames, columns: SHEET_COLUMNS });
  try {
    await mkdir(dirname(resolve(path)), { recursive: true });
    await writeFile(path, sheet);
  } catch (error) {
    throw writeFailure(path, error);
  }
  console.log(`contact sheet  ${path}`);
}

async function writeDataSet(options: Options): Promise<void> {
  const { out, workers, seed, subjects, clipsPerClass, size, frames, framesPerSecond, folds, variety, hold } =
    options;
  const startMs = performance.now();
  const { wasThere, clips } = await makeFaces({
    folder: resolve(out),
    settings: { seed, subjects, clipsPerClass, size, frames, framesPerSecond, folds, variety, hold },
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

/** The `faces` command. */
export function facesCommand(): Command {
  const command = new Command('faces')
    .description(
      'Draws a miniature labelled data set of schematic animated faces: seven expressions that rise and fall, ' +
        'fear being surprise shown backwards. For tests and demonstrations; they are not real data.',
    )
    .exitOverride()
    .showHelpAfterError('(add --help for all options)');
  return facesOptions.addTo(command).action(async () => {
    const { options } = facesOptions.read(command);
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
}
