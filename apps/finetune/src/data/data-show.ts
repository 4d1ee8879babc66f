import { join } from 'node:path';
import {
  debugOption,
  labelDistributionChart,
  option,
  optionSet,
  type LabelGroup,
  type ValuesOfSet,
} from '@tubelet/trainer';
import { textTable } from '@tubelet/trainer/formats';
import { labelCounts, PARTS, type Dataset, type LabelledVideo } from '@tubelet/video';
import { chosenFolds } from './data-check.js';
import { openData, placeOptions, type DataOptions } from '../shared/data-source.js';
import { terminal, writePicture, type Terminal } from '../shared/output.js';

/** The options of `data show`. */
export const showOptions = optionSet({
  'Options:': {
    ...placeOptions,
    out: option.text('<folder>', 'draw it too, as SVG and PNG, into this folder').optional(),
    ...debugOption,
  },
});

/** Options of `data show`, and the name of the data set. */
export type DataShowOptions = Pick<DataOptions, 'data'> &
  Readonly<Omit<ValuesOfSet<typeof showOptions>, 'debug'>>;

/** The longest bar of a table, in characters. */
const BAR_CHARACTERS = 24;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of that share of the longest, to an eighth of a character. */
function bar(share: number): string {
  const eighths = Math.round(share * BAR_CHARACTERS * 8);
  return '█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7]!;
}

/** A distribution of labels with its title, and the name of its picture without the extension. */
interface Distribution {
  readonly title: string;
  readonly fileName: string;
  readonly groups: readonly LabelGroup[];
}

/** A table of counts, shares and bars for each group side by side, all bars of one scale of shares. */
export function formatDistribution(
  { title, groups }: Pick<Distribution, 'title' | 'groups'>,
  classes: readonly string[],
): string {
  const totals = groups.map(({ counts }) => counts.reduce((sum, count) => sum + count, 0));
  const shareOf = (group: number, label: number): number =>
    groups[group]!.counts[label]! / Math.max(1, totals[group]!);
  const most = Math.max(
    ...groups.flatMap(({ counts }, group) => counts.map((_, label) => shareOf(group, label))),
  );
  const rows = classes.map((name, label) => [
    name,
    ...groups.flatMap(({ counts }, group) => {
      const share = shareOf(group, label);
      const filled = most > 0 ? bar(share / most) : '';
      return [
        counts[label]!.toLocaleString('en'),
        `${(100 * share).toFixed(1)} %`,
        filled.padEnd(BAR_CHARACTERS),
      ];
    }),
  ]);
  const head = [title, ...groups.flatMap(({ name }) => [name, '', ' '.repeat(BAR_CHARACTERS)])];
  const sums = ['', ...totals.flatMap((total) => [total.toLocaleString('en'), '', ''])];
  return textTable([head, ...rows, sums]);
}

/** The distributions of the parts of each fold; where there are several folds, that of all their clips first. */
function distributions(dataset: Dataset, folds: readonly number[]): Distribution[] {
  const { title, classes } = dataset;
  const splits = folds.map((fold) => ({ fold, split: dataset.split(fold) }));
  const ofFolds = splits.map(({ fold, split }) => ({
    title: dataset.folds === 1 ? title : `${title}, fold ${fold}`,
    fileName: dataset.folds === 1 ? 'labels' : `labels-fold-${fold}`,
    groups: PARTS.filter((part) => split[part].length > 0).map((part) => ({
      name: part,
      counts: labelCounts(split[part], classes),
    })),
  }));
  if (folds.length === 1) return ofFolds;
  const all = new Map<string, LabelledVideo>();
  for (const { split } of splits)
    for (const part of PARTS) for (const video of split[part]) all.set(video.id, video);
  const groups = [{ name: 'all clips', counts: labelCounts([...all.values()], classes) }];
  return [{ title, fileName: 'labels', groups }, ...ofFolds];
}

/**
 * Prints how many clips each class has in each part of each fold, and draws it.
 *
 * @throws OptionError for a fold that the data set does not have; DatasetError; FileWriteError
 */
export async function dataShow(options: DataShowOptions, io: Terminal = terminal): Promise<void> {
  const dataset = await openData(options);
  const shown = distributions(dataset, chosenFolds(dataset, options.fold));
  const tables = shown.map((one) => formatDistribution(one, dataset.classes));
  await io.write(`${tables.join('\n\n')}\n`);
  if (options.out === undefined) return;
  for (const { title, fileName, groups } of shown) {
    const svg = labelDistributionChart({ title, classNames: dataset.classes, groups });
    for (const extension of ['svg', 'png']) {
      const path = join(options.out, `${fileName}.${extension}`);
      await writePicture(path, svg);
      io.note(`drew ${path}`);
    }
  }
}
