/** Pictures of several results: the paper's Figures 5, 6 and 7. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  confusionMatrixChart,
  debugOption,
  evaluationPath,
  labelDistributionChart,
  option,
  OptionError,
  optionSet,
  pictureGrid,
  readResult,
  titleOf,
  UserError,
  type ValuesOfSet,
} from '@tubelet/trainer';
import { DATASET_NAMES, labelCounts, openDataset, type LabelledVideo } from '@tubelet/video';
import { layoutOptions } from '../embed/embed-options.js';
import { LEAST_VIDEOS, requireEnoughVideos, requireFittingLayout } from '../embed/embed-layout.js';
import { readFeatureFile } from './feature-file.js';
import { featurePicture } from '../embed/feature-picture.js';
import { requireWritablePicture, terminal, writePicture, type Terminal } from '../shared/output.js';
import { shortClassNames } from './short-class-names.js';

const pictureOptions = {
  out: option.text('<file>', 'the picture to draw: .svg or .png'),
  titles: option
    .words('<titles>', 'titles of the panels, separated by commas (default: by what is drawn)')
    .optional(),
};

/** Options of `figure features`. */
export const featureOptions = optionSet({
  'Options:': { ...pictureOptions, ...layoutOptions, ...debugOption },
});
/** Options of `figure labels` and `figure confusion`. */
export const panelOptions = optionSet({ 'Options:': { ...pictureOptions, ...debugOption } });

type FeatureOptions = Readonly<Omit<ValuesOfSet<typeof featureOptions>, 'debug'>>;
type PanelOptions = Readonly<Omit<ValuesOfSet<typeof panelOptions>, 'debug'>>;

/** @throws OptionError unless there is a title for each panel, or none */
function titlesFor(own: readonly string[], { titles }: PanelOptions): readonly string[] {
  if (titles === undefined || titles.length === own.length) return titles ?? own;
  throw new OptionError('--titles', titles.join(','), `${own.length} titles, one for each panel`);
}

/**
 * Draws features in the plane, a panel for each file and fold.
 *
 * @throws UserError for files that `embed` has not written, and ones of too few videos
 */
export async function featureFigure(
  files: readonly string[],
  options: FeatureOptions,
  io: Terminal = terminal,
): Promise<void> {
  requireFittingLayout(options);
  requireWritablePicture('--out', options.out);
  const sets = (await Promise.all(files.map(readFeatureFile))).flat();
  for (const { title, videos } of sets) {
    if (videos.length < LEAST_VIDEOS)
      throw new UserError(`${title} has ${videos.length} videos; a panel takes at least ${LEAST_VIDEOS}`);
    requireEnoughVideos(videos.length, options);
  }
  const titles = titlesFor(
    sets.map(({ title }) => title),
    options,
  );
  // A single panel says what is drawn, unless a title is given.
  const isTitled = sets.length > 1 || options.titles !== undefined;
  const titled = sets.map((set, i) => ({ ...set, title: isTitled ? titles[i] : undefined }));
  await writePicture(
    options.out,
    featurePicture(titled, options, (line) => io.note(line)),
  );
  io.note(`drew ${options.out}: ${sets.length} panels`);
}

/** A data set with its place, as an argument names them. */
function datasetAt(text: string) {
  const [given, ...place] = text.split('=');
  const name = DATASET_NAMES.find((one) => one === given);
  if (name === undefined || place.join('=') === '') {
    throw new OptionError('sets', text, `NAME=PLACE with one of ${DATASET_NAMES.join(', ')} as NAME`);
  }
  return { name, root: place.join('=') };
}

/** Draws how many videos of each class data sets have, all folds together, a panel for each. */
export async function labelFigure(
  sets: readonly string[],
  options: PanelOptions,
  io: Terminal = terminal,
): Promise<void> {
  requireWritablePicture('--out', options.out);
  const datasets = await Promise.all(sets.map(datasetAt).map(openDataset));
  const titles = titlesFor(
    datasets.map(({ title }) => title),
    options,
  );
  const charts = datasets.map((dataset, i) => {
    const videos = new Map<string, LabelledVideo>();
    for (let fold = 1; fold <= dataset.folds; fold++) {
      const { train, test } = dataset.split(fold);
      for (const video of [...train, ...test]) videos.set(video.id, video);
    }
    const groups = [{ name: 'videos', counts: labelCounts([...videos.values()], dataset.classes) }];
    return labelDistributionChart({
      title: titles[i]!,
      classNames: shortClassNames(dataset.classes),
      groups,
    });
  });
  await writePicture(options.out, pictureGrid('Videos of each class', charts));
  io.note(`drew ${options.out}: ${charts.length} panels`);
}

/** Draws confusion matrices of evaluations, those of cross-validations with all predictions together, a panel for each. */
export async function confusionFigure(
  results: readonly string[],
  options: PanelOptions,
  io: Terminal = terminal,
): Promise<void> {
  requireWritablePicture('--out', options.out);
  const evaluations = await Promise.all(results.map((place) => readResult(evaluationIn(place))));
  const titles = titlesFor(evaluations.map(titleOf), options);
  const charts = evaluations.map((result, i) => {
    const { confusion } = 'folds' in result ? result.pooled : result.metrics;
    return confusionMatrixChart({
      title: titles[i]!,
      confusion,
      classNames: shortClassNames(result.classNames),
    });
  });
  await writePicture(options.out, pictureGrid('Confusion matrices', charts));
  io.note(`drew ${options.out}: ${charts.length} panels`);
}

/** The result in a folder of an evaluation, of a run or of a cross-validation; or the file itself. */
function evaluationIn(place: string): string {
  if (basename(place) === basename(evaluationPath('.'))) return place;
  const found = [evaluationPath(place), evaluationPath(join(place, 'test'))].find(existsSync);
  if (found !== undefined) return found;
  throw new UserError(
    `${place} holds no evaluation.json. Give the folder of an evaluation (tubelet evaluate … --out) or of a tested run.`,
  );
}
