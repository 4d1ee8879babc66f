// The commands of the documents' `sh` blocks are executed by the built command, block by block, in a folder that has what
// they name in miniature. All pages go on with what the first one has made, two of them at a time.
//
//   npm run test:pages
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cacheDirectory } from '@tubelet/kernels/node';
import { codeBlocks, shellLines } from './lib/code-blocks.js';
import { writePagesFolder } from './lib/pages-folder.js';
import { root } from './lib/root.mjs';
import { quickCompiling } from './lib/shader-cache.js';
import { runCommand } from '../apps/tubelet/src/setup/index.js';
import { hanging } from '../vitest.shared.js';

/** Commands of a page, by how they begin. */
type OfCommands = Readonly<Record<string, string>>;

const TINY =
  '--image-size 32 --frames 4 --frame-step 1 --dim 32 --depth 1 --heads 1 --decoder-dim 32 --decoder-depth 1 ' +
  '--decoder-heads 1 --region 2,2,2 --mask-ratio 0.5 --workers 1';
const TINY_PRETRAINING = `${TINY} --batch-size 2 --epochs 1 --warmup-epochs 0`;
const TINY_FINETUNING = '--batch-size 8 --epochs 1 --warmup-epochs 0 --workers 1';
const DRY = '--dry-run';
/** A miniature has fewer clips than the owners publish, which the checks are right to call an error. */
const FINDS_CLIPS_MISSING = '|| [ $? = 1 ]';

/** What is added to commands that would otherwise train for hours, or that are right to refuse a miniature. */
const ADDED: Readonly<Record<string, OfCommands>> = {
  'README.md': {
    'tubelet pretrain': TINY_PRETRAINING,
    'tubelet data check': FINDS_CLIPS_MISSING,
    'tubelet finetune': TINY_FINETUNING,
  },
  'docs/checkpoints.md': {
    'tubelet pretrain data/vox2-160 --from runs/base': DRY,
    'tubelet pretrain data/vox2-160 --model vit-base': DRY,
    'tubelet finetune': DRY,
  },
  'docs/fine-tuning.md': {
    'tubelet data check dfew': FINDS_CLIPS_MISSING,
    'tubelet data check mafw': FINDS_CLIPS_MISSING,
    'tubelet finetune --data dfew': DRY,
    'tubelet faces': '--subjects 5 --clips-per-class 1 --frames 8 --size 32',
    'tubelet finetune --data csv': `--image-size 32 --frames 4 --region 1,2,2 ${TINY_FINETUNING}`,
  },
  'docs/performance.md': { 'tubelet pretrain videos --out runs/look': `${TINY_PRETRAINING} --epochs 20` },
  'docs/pre-training.md': {
    'tubelet data check voxceleb2': FINDS_CLIPS_MISSING,
    'tubelet pretrain': DRY,
    'tubelet finetune': DRY,
  },
  'docs/preparing-data.md': {
    'tubelet prepare': '--out data/vox2-160-again',
    'tubelet pretrain': DRY,
  },
  'docs/reproducing-the-paper.md': {
    'tubelet study table-2 --voxceleb2': '--plan',
    'tubelet study table-2 --miniature': '--plan',
    'tubelet pretrain': DRY,
    'tubelet finetune': DRY,
  },
  'docs/training.md': {
    'tubelet pretrain': DRY,
    'tubelet data check voxceleb2': FINDS_CLIPS_MISSING,
  },
  'apps/tubelet/README.md': {
    'tubelet pretrain': DRY,
    'tubelet finetune': DRY,
  },
};

const OUTSIDE =
  '`npm run test:packages` installs the packages and the command outside of the clone, and follows the guide';
const DETECTOR =
  'installs the face detector, 330 MB from the registry; `npm run test:packages -- --registry` does';
const MINUTES = 'takes minutes, and is a check or a benchmark of its own';
const RANKS = 'needs an MPI; `npm run test:mpi` starts jobs of several ranks';

/** What is not executed, and why. */
const NOT_EXECUTED: Readonly<Record<string, OfCommands>> = {
  'CONTRIBUTING.md': {
    'npm run setup': 'every test begins with it',
    'npx vitest': 'is part of `npm test`',
    'npm run ': MINUTES,
  },
  'README.md': {
    'npm run demo': MINUTES,
    'npm test': MINUTES,
    'tubelet predict party.mp4': DETECTOR,
  },
  'docs/expected-speed.md': { 'npm run bench:model': MINUTES },
  'docs/fine-tuning.md': {
    'tubelet data faces': DETECTOR,
    'tubelet data check ravdess': DETECTOR,
  },
  'docs/first-steps.md': { 'npm install': OUTSIDE },
  'docs/gpu-machines.md': {
    'docker run': 'needs an NVIDIA GPU and its container runtime',
    'tubelet tune': 'takes many minutes without a GPU',
    'npm run gpu:report': 'takes many minutes without a GPU',
  },
  'docs/measured-speed.md': { 'npm run ': 'takes many minutes without a GPU' },
  'docs/performance.md': { 'tubelet tune': 'takes many minutes without a GPU' },
  'docs/pre-training.md': {
    'cd data/VoxCeleb2': 'needs the archives of VoxCeleb2',
    'cat vox2_dev_mp4_parta*': 'needs the archives of VoxCeleb2',
    'unzip ': 'needs the archives of VoxCeleb2',
    mpirun: RANKS,
  },
  'docs/several-gpus.md': { 'apt-get install': 'needs root', mpirun: RANKS },
  'docs/writing-a-kernel.md': {
    mkdir: OUTSIDE,
    'cd snake': OUTSIDE,
    'npm ': OUTSIDE,
    'npx ': OUTSIDE,
  },
  'packages/autograd/README.md': { 'npm install': OUTSIDE },
  'packages/kernels/README.md': { 'npm install': OUTSIDE },
  'packages/mae-dfer/README.md': { 'npm install': OUTSIDE },
  'packages/mpi/README.md': { 'npm install': OUTSIDE },
  'packages/trainer/README.md': { 'npm install': OUTSIDE },
  'packages/video/README.md': { 'npm install': OUTSIDE },
  'apps/tubelet/README.md': { 'npm install': OUTSIDE },
};

/** What stands in the documents for something of the reader's, and what stands in its place here. */
const STANDS_FOR: readonly (readonly [string, string])[] = [
  [' /data/', ' data/'],
  ['=/data/', '=data/'],
  ['VIDEO…', 'face.mp4 interview.mp4'],
  ['| jq .predicted', '| grep predicted'],
];

interface Line {
  readonly page: string;
  readonly command: string;
  /** Undefined where it is not executed. */
  readonly script: string | undefined;
}

const begun = (commands: OfCommands | undefined, command: string) =>
  Object.entries(commands ?? {}).find(([start]) => command.startsWith(start))?.[1];

const blocks = codeBlocks()
  .filter(({ language }) => language === 'sh')
  .map(({ place, text }) => {
    const page = place.replace(/:\d+$/, '');
    const lines = shellLines(text).map((line): Line => {
      const command = STANDS_FOR.reduce((all, [from, to]) => all.replaceAll(from, to), line);
      const isExecuted = begun(NOT_EXECUTED[page], command) === undefined;
      const added = begun(ADDED[page], command);
      return { page, command, script: isExecuted ? [command, added].filter(Boolean).join(' ') : undefined };
    });
    return { page, place, lines };
  });
/** Makes what the others go on with. */
const FIRST = 'README.md';
const known: Record<string, Set<string>> = { [FIRST]: new Set() };
/** What each block executes. Pages repeat commands of their own and of the first: what has been executed is there. */
const executed = blocks.flatMap(({ page, place, lines }) => {
  const ofPage = (known[page] ??= new Set());
  const commands = lines.flatMap(({ script }) =>
    script === undefined || ofPage.has(script) || known[FIRST]!.has(script) ? [] : [script],
  );
  for (const command of commands) ofPage.add(command);
  return commands.length === 0 ? [] : [{ page, place, script: commands.join('\n') }];
});
const others = [...new Set(executed.map(({ page }) => page))].filter((page) => page !== FIRST);

const folder = mkdtempSync(join(tmpdir(), 'tubelet-pages-'));
beforeAll(async () => {
  await writePagesFolder(folder);
  // The run of the demo is that of the first page's training.
  mkdirSync(join(folder, 'runs'));
  symlinkSync('base', join(folder, 'runs/demo'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each([
  ['ADDED', ADDED],
  ['NOT_EXECUTED', NOT_EXECUTED],
])('%s names commands that the pages have', (_, table) => {
  const lines = blocks.flatMap((block) => block.lines);
  const gone = Object.entries(table).flatMap(([page, commands]) =>
    Object.keys(commands)
      .filter((start) => !lines.some((line) => line.page === page && line.command.startsWith(start)))
      .map((start) => `${page}: ${start}`),
  );
  expect(gone).toEqual([]);
});

const env = {
  ...process.env,
  // Either finds what `npm test` or this has compiled.
  ...quickCompiling(cacheDirectory()),
  PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env['PATH']}`,
};

async function executePage(name: string) {
  for (const { page, place, script } of executed) {
    if (page !== name) continue;
    const { code, stdout, stderr } = await runCommand('bash', ['-euxo', 'pipefail', '-c', script], {
      ...{ cwd: folder, env, timeoutMs: hanging, allowFailure: true },
    });
    const output = `${place}\n${stdout}\n${stderr}`;
    expect(code, output).toBe(0);
    // A command that may end with 1 may not do so for a fault of its own. Dawn's warnings have frames too, of C++.
    expect(output).not.toMatch(/^ {4}at .*(node:|\.m?js|\.ts)|This is a defect/m);
  }
}

// A page has many commands, each of which may take as long as a test.
const ofPage = 5 * hanging;
it(`executes ${FIRST}`, () => executePage(FIRST), ofPage);
it.concurrent.each(others)('executes %s', executePage, ofPage);
