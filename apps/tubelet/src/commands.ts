import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';

/** A command of `tubelet`. What it needs is loaded when it is run, and no sooner. */
export interface TubeletCommand {
  readonly summary: string;
  /** Its options and the commands below it, for these words; absent where it reads them itself. */
  readonly load?: (words: readonly string[]) => Promise<Command>;
  /** Runs it with the words of the command line; gives the exit code, unless it ends the process itself. */
  run(words: readonly string[]): Promise<number>;
}

/** A command of one of the programs, under the name that it has here. */
function ofProgram(
  name: string,
  summary: string,
  load: (words: readonly string[]) => Promise<Command>,
): [string, TubeletCommand] {
  const run = async (words: readonly string[]) => {
    const [command, { runProgram }] = await Promise.all([load(words), import('@tubelet/trainer')]);
    return runProgram('tubelet', summary, [command]);
  };
  return [name, { summary, load, run }];
}

const VOXCELEB2_HELP = '\nVoxCeleb2, to pre-train on: tubelet data check voxceleb2 --help';

const pretraining = () => import('@tubelet/pretrain');
const finetuning = () => import('@tubelet/finetune');

const training: [string, TubeletCommand][] = [
  ofProgram('prepare', 'make shards of many videos, which load about twice as fast', async () =>
    (await pretraining()).prepareCommand(),
  ),
  ofProgram('pretrain', 'pre-train a masked autoencoder on unlabelled videos', async () =>
    (await pretraining()).trainCommand(),
  ),
  ofProgram('reconstruct', 'draw what a pre-trained model makes of masked videos', async () =>
    (await pretraining()).reconstructCommand(),
  ),
  ofProgram('data', 'check a data set, show its labels, or cut its faces', async (words) =>
    // What is known of VoxCeleb2, which has no labels, belongs to pre-training. A folder may have that name too.
    words[0] === 'check' && words.includes('voxceleb2')
      ? (await pretraining()).dataCommand()
      : (await finetuning()).dataCommand().addHelpText('afterAll', VOXCELEB2_HELP),
  ),
  ofProgram('finetune', 'fine-tune a classifier of facial expressions, validate it, and test it', async () =>
    (await finetuning()).trainCommand(),
  ),
  ofProgram('evaluate', 'test a classifier on a labelled data set', async () =>
    (await finetuning()).evaluateCommand(),
  ),
  ofProgram('export', 'write weights under the published names, or as an ONNX model', async () =>
    (await finetuning()).exportCommand(),
  ),
  ofProgram('runs', 'list, show or compare runs', async () =>
    (await import('@tubelet/trainer')).runsCommand(),
  ),
];

const applying: [string, TubeletCommand][] = [
  ofProgram('predict', 'say which expression videos show', async () => (await finetuning()).predictCommand()),
  ofProgram('embed', 'write the features of videos', async () => (await finetuning()).embedCommand()),
];

const paper: [string, TubeletCommand][] = [
  ofProgram('figure', 'draw figures of features, labels and results', async () =>
    (await finetuning()).figureCommand(),
  ),
  ofProgram(
    'study',
    'run what a table of the paper compares, and set our figures beside the printed ones',
    async () => (await import('./study/study-command.js')).studyCommand(),
  ),
  ofProgram('faces', 'draw a miniature labelled data set of faces', async () =>
    (await import('@tubelet/faces')).facesCommand(),
  ),
];

const benchmarks: Readonly<Record<string, () => Promise<unknown>>> = {
  flops: () => import('@tubelet/benchmarks/flops'),
  kernels: () => import('@tubelet/benchmarks/kernels'),
  loader: () => import('@tubelet/benchmarks/loader'),
  model: () => import('@tubelet/benchmarks/model'),
  operations: () => import('@tubelet/benchmarks/operations'),
  overlap: () => import('@tubelet/benchmarks/overlap'),
};

/** Hands over to a program that reads the command line and ends the process by itself. */
async function handOver(words: readonly string[], load: () => Promise<unknown>): Promise<number> {
  process.argv.splice(2, Infinity, ...words);
  await load();
  return 0;
}

async function bench([name = '', ...words]: readonly string[]): Promise<number> {
  const load = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined;
  const usage = `Usage: tubelet bench ${Object.keys(benchmarks).join('|')} [options]`;
  if (load) return handOver(words, load);
  if (name === '--help' || name === '-h') {
    console.log(usage);
    return 0;
  }
  console.error(`error: ${name === '' ? 'name a benchmark' : `there is no benchmark ${name}`}.\n${usage}`);
  return 2;
}

const scriptOfProbe = () => fileURLToPath(new URL('./probe-child.js', import.meta.url));

async function setup(words: readonly string[]): Promise<number> {
  const unknown = words.find((word) => word !== '--force');
  if (unknown !== undefined)
    return onlyOption(unknown, 'setup', '--force', 'unpacks the software driver anew');
  const { ensureAdapter, probeWith } = await import('./setup/index.js');
  const say = (line: string) => console.log(`[setup] ${line}`);
  try {
    await ensureAdapter({ force: words.length > 0, probe: probeWith(scriptOfProbe()), say });
    return 0;
  } catch (error) {
    console.error(`[setup] ${(error as Error).message}`);
    return 1;
  }
}

async function doctor(words: readonly string[]): Promise<number> {
  const [unknown] = words;
  if (unknown !== undefined) return onlyOption(unknown, 'doctor');
  const [{ doctor }, { probeWith }] = await Promise.all([
    import('./doctor/doctor.js'),
    import('./setup/index.js'),
  ]);
  return (await doctor({ probe: probeWith(scriptOfProbe()) })) ? 0 : 1;
}

/** Answers a word that the command does not know, `--help` among them. */
function onlyOption(word: string, command: string, option?: string, meaning?: string): number {
  const usage = option
    ? `Usage: tubelet ${command} [${option}]\n  ${option}  ${meaning}`
    : `Usage: tubelet ${command}`;
  if (word === '--help' || word === '-h') {
    console.log(usage);
    return 0;
  }
  console.error(`error: unknown option ${word}\n${usage}`);
  return 2;
}

const machine: [string, TubeletCommand][] = [
  [
    'setup',
    {
      summary: 'make sure that WebGPU finds an adapter; fetch a software driver where there is none',
      run: setup,
    },
  ],
  ['doctor', { summary: 'say what this machine offers, and what to do about what is missing', run: doctor }],
  [
    'tune',
    {
      summary: 'measure which variant of each kernel is fastest on this GPU',
      run: (words) => handOver(words, () => import('@tubelet/benchmarks/tune')),
    },
  ],
  ['bench', { summary: `time ${Object.keys(benchmarks).join(', ')}`, run: bench }],
];

const groups: Readonly<Record<string, readonly [string, TubeletCommand][]>> = {
  'Training:': training,
  'Applying:': applying,
  'The paper, and drawn data:': paper,
  'This machine:': machine,
};

const commands = new Map(Object.values(groups).flat());

/** The command of that name; undefined where there is none. */
export const commandNamed = (name: string): TubeletCommand | undefined => commands.get(name);

/** All commands, a line each. */
export function commandsText(): string {
  const width = Math.max(...[...commands.keys()].map((name) => name.length));
  const sections = Object.entries(groups).map(([title, entries]) =>
    [title, ...entries.map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`)].join('\n'),
  );
  return [
    'Usage: tubelet COMMAND …      tubelet COMMAND --help for its options and examples',
    ...sections,
  ].join('\n\n');
}
