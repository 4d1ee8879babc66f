import { VOXCELEB2_COUNTS } from '@tubelet/video';
import { format } from 'prettier';
import { table } from './markdown.js';

const EPOCHS = 50;
const BATCH_SIZE = 32;

/** What stands between these lines of docs/pre-training.md is written here. */
const BEGIN = '<!-- Written by `npm run docs` from docs/expected-speed.md: -->';
const END = '<!-- The end of what is written. -->';

/** Milliseconds of a step, by device. */
type Times = Readonly<Record<string, { readonly expected: number; readonly cautious: number }>>;

/**
 * docs/pre-training.md with the days that the base model takes for the paper's epochs on every GPU of
 * docs/expected-speed.md.
 *
 * @param document docs/pre-training.md as it is
 * @param expectedSpeed docs/expected-speed.md
 * @throws Error where either lacks the place or the figures
 */
export async function withPretrainingDays(document: string, expectedSpeed: string): Promise<string> {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) {
    throw new Error(
      `docs/pre-training.md: the lines ${BEGIN} and ${END} are missing; put them around the table of days`,
    );
  }
  const f32 = timesOf(expectedSpeed, 'base', 'f32');
  const f16 = timesOf(expectedSpeed, 'base', 'f16');
  const rows = Object.keys(f32).map((device) => [
    device,
    ...speedAndDays(f32[device]?.cautious),
    ...speedAndDays(f16[device]?.cautious),
  ]);
  const days = table(['GPU', 'f32: clips a second', 'days', 'f16: clips a second', 'days'], rows);
  const [small, tiny] = (['small', 'tiny'] as const).map((model) => {
    const share = timesOf(expectedSpeed, model, 'f32')['H100 SXM']!.expected / f32['H100 SXM']!.expected;
    return share.toFixed(2);
  });
  const others =
    `Other models: \`small\` takes ${small} of the time of \`base\` and \`tiny\` ${tiny} ` +
    `(expected, f32, ${BATCH_SIZE} clips on an H100).`;
  const text = `${document.slice(0, begin)}${BEGIN}\n\n${days}\n${others}\n\n${document.slice(end)}`;
  return format(text, { parser: 'markdown' });
}

/** The row of steps of pre-training in the table of a precision. */
function timesOf(page: string, model: string, precision: 'f32' | 'f16'): Times {
  const section = page.split(`\n## Milliseconds of a step in ${precision}`)[1]?.split('\n## ')[0] ?? '';
  const [headings = [], ...rows] = section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1),
    );
  const row = rows.find(
    ([name, task, clips]) => name === model && task === 'pretrain' && clips === `${BATCH_SIZE}`,
  );
  if (!row) {
    throw new Error(
      `docs/expected-speed.md has no step of ${model}, pretrain, ${BATCH_SIZE} clips in ${precision}; write it ` +
        'anew: `npm run bench:model -- --expect --page docs/expected-speed.md`',
    );
  }
  return Object.fromEntries(
    row.slice(3).map((cell, i) => {
      const [expected, , cautious] = cell.match(/[\d.]+/g)!.map(Number);
      return [headings[i + 3]!, { expected: expected!, cautious: cautious! }];
    }),
  );
}

/** Cells of clips a second and of days; dashes without a time. */
function speedAndDays(milliseconds: number | undefined): [string, string] {
  if (milliseconds === undefined) return ['–', '–'];
  const clipsPerSecond = (1000 * BATCH_SIZE) / milliseconds;
  const days = (EPOCHS * VOXCELEB2_COUNTS.dev.clips) / clipsPerSecond / 86_400;
  return [clipsPerSecond.toFixed(clipsPerSecond < 20 ? 1 : 0), days.toFixed(1)];
}
