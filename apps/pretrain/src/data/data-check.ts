/** Checks a copy of VoxCeleb2, and lists its clips. */
import { mkdirSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import {
  counted,
  createCounter,
  debugOption,
  formatFindings,
  formatTally,
  option,
  optionSet,
  tally,
  UserError,
  type Counter,
  type ValuesOfSet,
} from '@tubelet/trainer';
import { writeTextFile, textTable } from '@tubelet/trainer/formats';
import { checkVoxceleb2, VOXCELEB2_PARTS, type Voxceleb2Check } from '@tubelet/video';

/** The options of `data check`. */
export const checkOptions = optionSet({
  'Options:': {
    root: option.text('<dir>', 'the folder that holds dev and test'),
    quick: option.flag('look at folders, names and lengths of files only, and open no clip'),
    out: option
      .text(
        '<dir>',
        'folder for voxceleb2-dev.txt and voxceleb2-test.txt, lists of the clips that are not broken, and findings.json',
      )
      .optional(),
    workers: option.whole('<n>', 'clips opened at once (default: one for each processor but one)').optional(),
    ...debugOption,
  },
});

export type DataCheckOptions = Readonly<Omit<ValuesOfSet<typeof checkOptions>, 'debug'>>;

/**
 * Checks VoxCeleb2 and tells what is wrong with it.
 *
 * @throws UserError after the report, when there are errors
 */
export async function dataCheck(
  { root, quick, out, workers }: DataCheckOptions,
  say: (text: string) => void = console.log,
  counter: Counter = createCounter('clips'),
  published?: Parameters<typeof checkVoxceleb2>[1],
): Promise<void> {
  if (out !== undefined) makeFolder(out);
  let check: Voxceleb2Check;
  try {
    const onProgress = (done: number, total: number) => counter.update(done, total);
    check = await checkVoxceleb2(resolve(root), { ...published, quick, workers, onProgress });
  } finally {
    counter.stop();
  }
  say(formatCheck(check));
  if (out !== undefined) for (const line of await writeFiles(out, check)) say(line);
  const counts = tally(check.findings);
  if (counts.error > 0)
    throw new UserError(`this copy of VoxCeleb2 is not as it should be: ${formatTally(counts)}`);
}

/** Ahead of the check, which takes long. */
function makeFolder(out: string): void {
  try {
    mkdirSync(out, { recursive: true });
  } catch (cause) {
    throw new UserError(
      `--out: ${out} cannot be made: ${(cause as Error).message}. Let it be written, or choose another folder.`,
      { cause },
    );
  }
}

function formatCheck({ root, quick, parts, findings }: Voxceleb2Check): string {
  const number = (value: number) => value.toLocaleString('en');
  const rows = parts.map(({ part, counts, published }) => [
    part,
    ...(['people', 'videos', 'clips'] as const).map(
      (name) => `${number(counts[name])} of ${number(published[name])}`,
    ),
  ]);
  return [
    `VoxCeleb2 in ${root}`,
    ...(rows.length > 0 ? [textTable([['part', 'people', 'videos', 'clips'], ...rows])] : []),
    quick
      ? 'Clips were not opened (--quick).'
      : 'The header of every clip was read; frames were not decoded: `prepare` and `pretrain` leave out what cannot be.',
    ...formatFindings(findings),
  ].join('\n\n');
}

async function writeFiles(
  out: string,
  { root, quick, parts, findings, usable }: Voxceleb2Check,
): Promise<string[]> {
  const lines: string[] = [];
  const folder = relative(resolve(out), root).split(sep).join('/');
  for (const part of VOXCELEB2_PARTS) {
    const clips = usable[part];
    if (clips === undefined || clips.length === 0) continue;
    const file = join(out, `voxceleb2-${part}.txt`);
    const prefix = folder === '' ? '' : `${folder}/`;
    await writeTextFile(file, clips.map((id) => `${prefix}${id}\n`).join(''));
    lines.push(`${file}: ${counted(clips.length, 'clip')}`);
  }
  const file = join(out, 'findings.json');
  await writeTextFile(file, `${JSON.stringify({ root, quick, parts, findings }, null, 2)}\n`);
  return [...lines, `${file}: ${counted(findings.length, 'finding')}`];
}
