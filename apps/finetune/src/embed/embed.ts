import { extname } from 'node:path';
import { BadFiles, LoneOptionError, OptionError, UserError } from '@tubelet/trainer';
import { writeFileInPieces } from '@tubelet/trainer/formats';
import type { openFaceDetector } from '@tubelet/video';
import { resolveCheckpoint } from '../shared/checkpoint-place.js';
import { readClassifierFile, type ClassifierFile } from '../classifier/classifier-file.js';
import { cutPeople } from '../predict/cut-people.js';
import { openData } from '../shared/data-source.js';
import { featurePieces, FEATURE_FORMATS, type EmbeddedVideo, type FeatureFormat } from './embed-file.js';
import { LEAST_VIDEOS, requireEnoughVideos, requireFittingLayout } from './embed-layout.js';
import { setOfDataset, setOfSources, type SetVideo, type VideoSet } from './embed-set.js';
import { foldOf, requireSameClasses } from '../evaluate/evaluate-dataset.js';
import { scoringProgress } from '../shared/scoring-progress.js';
import type { EmbedOptions } from './embed-options.js';
import { featurePicture } from './feature-picture.js';
import { findFoldClassifiers, readFoldClassifier } from '../classifier/fold-classifiers.js';
import {
  displayPath,
  requireWritable,
  requireWritablePicture,
  terminal,
  writePicture,
  type Terminal,
} from '../shared/output.js';
import { scoreVideos } from '../predict/predict-videos.js';
import { scoringOptions } from '../predict/predictions.js';

function requireOptions(sources: readonly string[], options: EmbedOptions): FeatureFormat {
  const { data, root, out, picture } = options;
  if (data === undefined) {
    if (sources.length === 0)
      throw new OptionError('sources', sources, 'videos, or a data set by --data and --root');
    const ofDatasets = { '--root': root, '--classes-file': options.classesFile, '--fold': options.fold };
    for (const [key, value] of Object.entries({ ...ofDatasets, '--part': options.part }))
      if (value !== undefined) throw new LoneOptionError(key, value, '--data');
  } else {
    if (sources.length > 0) throw new OptionError('--data', data, 'no videos beside a data set');
    if (root === undefined) throw new LoneOptionError('--data', data, '--root');
  }
  if (picture === undefined) {
    const { layout, neighbors, minDist, perplexity, seed } = options;
    const ofPictures = { '--layout': layout, '--neighbors': neighbors, '--min-dist': minDist };
    for (const [key, value] of Object.entries({ ...ofPictures, '--perplexity': perplexity, '--seed': seed }))
      if (value !== undefined) throw new LoneOptionError(key, value, '--picture');
  } else {
    requireFittingLayout(options);
    requireWritablePicture('--picture', picture);
  }
  const format = FEATURE_FORMATS.find((name) => extname(out).toLowerCase() === `.${name}`);
  if (format === undefined)
    throw new OptionError(
      '--out',
      out,
      `a name ending in ${FEATURE_FORMATS.map((one) => `.${one}`).join(', ')}`,
    );
  requireWritable('--out', out);
  return format;
}

/** Videos with the classifier that sees them. */
interface EmbeddingPart extends VideoSet {
  readonly path: string;
  /** Where each fold has a classifier of its own. */
  readonly fold?: number;
  /** Read when its turn comes: together they would fill the memory. */
  readonly read: () => Promise<ClassifierFile>;
  readonly description: ClassifierFile['description'];
}

async function findParts(
  sources: readonly string[],
  { data, root, classesFile, fold, part = 'test', checkpoint }: EmbedOptions,
  io: Terminal,
  badFiles: BadFiles,
): Promise<readonly EmbeddingPart[]> {
  const warn = (warning: string) => io.note(`warning: ${warning}`);
  if (data !== undefined && root !== undefined && fold === 'all') {
    const dataset = await openData({ data, root, classesFile });
    const parts: EmbeddingPart[] = [];
    for (const place of await findFoldClassifiers(checkpoint, dataset, warn)) {
      const read = () => readFoldClassifier(place, dataset);
      const { description } = await read();
      requireSameClasses(place.path, description, dataset);
      parts.push({ ...place, read, description, ...setOfDataset(dataset, place.fold, part) });
    }
    return parts;
  }
  const path = await resolveCheckpoint(checkpoint, warn);
  const file = await readClassifierFile(path);
  const { description } = file;
  const ofFile = { path, read: () => Promise.resolve(file), description };
  if (data === undefined || root === undefined)
    return [{ ...ofFile, ...(await setOfSources(sources, description.classNames, badFiles)) }];
  const dataset = await openData({ data, root, classesFile });
  const one = foldOf({ fold: fold === 'all' ? undefined : fold }, file, dataset);
  return [{ ...ofFile, ...setOfDataset(dataset, one, part) }];
}

/** @throws OptionError or UserError for a picture of too few videos */
function requireEnough(videos: number, options: EmbedOptions): void {
  if (options.picture === undefined) return;
  if (videos < LEAST_VIDEOS)
    throw new UserError(
      `a picture takes at least ${LEAST_VIDEOS} videos, and there are ${videos}: leave out --picture`,
    );
  requireEnoughVideos(videos, options);
}

/**
 * Writes the features of videos to a file, and a picture of them in the plane.
 *
 * @throws OptionError for options that contradict each other, before anything else is done
 * @throws NoReadableVideoError when none of the videos can be read
 */
export async function embed(
  sources: readonly string[],
  options: EmbedOptions,
  io: Terminal = terminal,
  open?: typeof openFaceDetector,
): Promise<void> {
  const format = requireOptions(sources, options);
  const badFiles = new BadFiles(io, false);
  const parts = await findParts(sources, options, io, badFiles);
  for (const { path, videos, description } of parts) {
    requireEnough(videos.length, options);
    const { dim } = description.model.encoder;
    const first = parts[0]!;
    if (dim !== first.description.model.encoder.dim)
      throw new UserError(`${path} gives ${dim} features and ${first.path} others: embed them one by one`);
    io.note(`${displayPath(path)}: ${dim} features of each of ${videos.length} videos`);
  }
  const [{ labelNames, description }] = parts as [EmbeddingPart];
  const { classNames } = description;

  // With --crop face each person of a video stands for it; otherwise the videos are taken as they are.
  async function cutWhereAsked(videos: readonly SetVideo[]) {
    const { crop, workers } = options;
    if (crop !== 'face') return { people: videos, crop, remove: () => {} };
    const cut = await cutPeople(videos, { workers, onBadFile: badFiles.report, note: io.note, open });
    const people = cut.people.map(({ video, path, person, people }): SetVideo => {
      return { label: video.label, path, id: people === 1 ? video.id : `${video.id}#${person}` };
    });
    io.note(`faces cut: ${people.length === 1 ? 'one person' : `${people.length} people`}`);
    return { people, crop: 'none' as const, remove: cut.remove };
  }

  const embedded = parts.map((): EmbeddedVideo[] => []);
  let count = 0;
  async function* results(): AsyncGenerator<EmbeddedVideo, void> {
    for (const [i, { read, fold, videos }] of parts.entries()) {
      const { people, crop, remove } = await cutWhereAsked(videos);
      try {
        const settings = { ...options, crop, onBadFile: badFiles.report, progress: scoringProgress(io.note) };
        const file = await read();
        for await (const { video, ...answer } of scoreVideos(file, people, scoringOptions(file, settings))) {
          const { id, label } = people[video]!;
          const result = { id, label, ...answer, ...(fold !== undefined && { fold }) };
          count++;
          if (options.picture !== undefined) embedded[i]!.push(result);
          yield result;
        }
      } finally {
        remove();
      }
    }
  }
  await writeFileInPieces(options.out, featurePieces(format, results(), { classNames, labelNames }));
  io.note(`wrote ${options.out}: ${count} videos`);
  if (badFiles.count > 0) io.note(`warning: ${badFiles.count} files were left out, as told above`);
  if (options.picture !== undefined) {
    for (const videos of embedded) requireEnough(videos.length, options);
    const names = labelNames ?? classNames;
    const sets = parts.map(({ fold }, i) => ({
      ...(parts.length > 1 && { title: `fold ${fold}` }),
      ...{ videos: embedded[i]!, names, isLabelled: labelNames !== null },
    }));
    await writePicture(options.picture, featurePicture(sets, options, io.note));
    io.note(`drew ${options.picture}`);
  }
}
