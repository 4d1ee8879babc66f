import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OptionError, UserError } from '@tubelet/trainer';
import { Command, Option } from 'commander';
import { runStudy, type StudyRequest } from './study.js';
import { SPEEDS } from './study-plan.js';
import { DATA_SET_NAMES, STUDIES, type DataSet } from './studies.js';

interface Options extends Readonly<Partial<Record<DataSet, string>>> {
  readonly plan?: true;
  readonly only?: readonly string[];
  readonly voxceleb2?: readonly string[];
  readonly seeds: number;
  readonly out: string;
  readonly clipsPerSecond?: string;
  readonly pretrainOptions: string;
  readonly finetuneOptions: string;
  readonly miniature?: true;
  readonly people?: number;
}

const DESCRIPTION =
  'A table or figure of the paper: the pre-trainings and fine-tunings that it needs, and our figures beside the printed ' +
  'ones. Runs are shared by all studies of a folder. What is finished is not done again, what was interrupted is resumed.';

const EXAMPLES = `
Studies: ${Object.keys(STUDIES).join(', ')}

Examples:
  tubelet study table-2 --plan
  tubelet study table-2 --voxceleb2 VIDEOS --dfew FOLDER --ferv39k FOLDER
  tubelet study table-2 --miniature --seeds 3`;

const several = (text: string, before: readonly string[] = []) => [...before, text];

function whole(name: string): (text: string) => number {
  return (text) => {
    if (/^[1-9]\d*$/.test(text)) return Number(text);
    throw new OptionError(name, text, 'a whole number above 0');
  };
}

/** Clips in a second as the user gave them, else as they were measured. */
function speedOf(given: string | undefined, people: number | undefined) {
  if (given === undefined) return people ? SPEEDS.drawn : SPEEDS.paper;
  const [pretrain = 0, finetune = 0, ...others] = given.split(',').map(Number);
  if (pretrain > 0 && finetune > 0 && others.length === 0) return { pretrain, finetune };
  throw new OptionError('--clips-per-second', given, 'two numbers above 0, such as 147,78');
}

/** Folders of the drawn data, which stand in the place of VoxCeleb2 and of DFEW. */
function drawnData(people: number) {
  const labelled = join('data', `faces-study-${people}`);
  const unlabelled = `${labelled}-unlabelled`;
  return {
    drawn: { labelled, unlabelled },
    data: {
      people,
      dataSets: ['faces'],
      sources: [join(unlabelled, 'clips')],
      roots: { faces: join(labelled, 'faces.csv') },
    },
  };
}

/** A plan may be shown before there is any data: of both sets then. */
function realData(options: Options, named: readonly DataSet[]) {
  const roots = Object.fromEntries(DATA_SET_NAMES.map((name) => [name, options[name] ?? name.toUpperCase()]));
  return {
    data: { dataSets: named.length > 0 ? named : DATA_SET_NAMES, sources: options.voxceleb2 ?? [], roots },
  };
}

function requestOf(name: string, options: Options): StudyRequest {
  const named = DATA_SET_NAMES.filter((set) => options[set] !== undefined);
  const people = options.miniature ? (options.people ?? 60) : undefined;
  if (people !== undefined && people < 5) {
    throw new OptionError('--people', people, '5 or more, one for each fold');
  }
  if (people && (named.length > 0 || options.voxceleb2)) {
    throw new UserError('--miniature draws its own data: leave out --voxceleb2, --dfew and --ferv39k.');
  }
  if (!people && options.people) throw new UserError('--people is for --miniature, which draws them.');
  const words = (text: string) => text.split(/\s+/).filter((word) => word !== '');
  const folder = resolve(options.out);
  const { data, drawn } = people ? drawnData(people) : { ...realData(options, named), drawn: undefined };
  return {
    name,
    named,
    plan: options.plan ?? false,
    only: options.only ?? [],
    isSpeedGiven: options.clipsPerSecond !== undefined,
    drawn,
    program: fileURLToPath(new URL('./cli.js', import.meta.url)),
    settings: {
      ...data,
      seeds: options.seeds,
      folder: people ? join(folder, `drawn-faces-${people}`) : folder,
      recipes: fileURLToPath(new URL('./recipes', import.meta.url)),
      place: (path) => relative('.', path) || '.',
      further: { pretrain: words(options.pretrainOptions), finetune: words(options.finetuneOptions) },
      speed: speedOf(options.clipsPerSecond, people),
    },
  };
}

/** The `study` command. */
export function studyCommand(): Command {
  return new Command('study')
    .description(DESCRIPTION)
    .argument('<name>', `one of ${Object.keys(STUDIES).join(', ')}`)
    .option('--plan', 'show the runs with their time and disk, and end')
    .option(
      '--only <run>',
      'do this run alone, e.g. on another machine with the same folder; may be repeated',
      several,
    )
    .option(
      '--voxceleb2 <source>',
      'videos to pre-train on: a folder, glob or list file, or VoxCeleb2’s folder, for its development part; may be ' +
        'repeated',
      several,
    )
    .option('--dfew <folder>', 'DFEW, to test on')
    .option('--ferv39k <folder>', 'FERV39k, to test on; one of both is enough')
    .addOption(new Option('--seeds <n>', 'fine-tunings of each row').argParser(whole('--seeds')).default(1))
    .option('--out <folder>', 'where runs and tables go', join('runs', 'studies'))
    .option(
      '--clips-per-second <p,f>',
      'clips a second of base in pre-training and fine-tuning, for the plan',
    )
    .option(
      '--pretrain-options <words>',
      "words added to every command of pre-training, e.g. '--precision f16 --batch-size 32 --accumulate 4'",
      '',
    )
    .option('--finetune-options <words>', 'the same for fine-tuning', '')
    .option('--miniature', 'the same plan on drawn faces and a small model, without any data')
    .option(
      '--people <n>',
      'how many are drawn with labels, and a sixth as many without (default: 60)',
      whole('--people'),
    )
    .option('--debug', 'show the stack trace of an error')
    .addHelpText('after', EXAMPLES)
    .action((name: string, options: Options) => runStudy(requestOf(name, options)));
}
