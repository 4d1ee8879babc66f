import { extname } from 'node:path';
import type { openFaceDetector } from '@tubelet/video';
import { BadFiles, OptionError, scatterChart, UserError, writeFileInPieces } from '@tubelet/trainer';
import { resolveCheckpoint } from './checkpoint-place.js';
import { readClassifierFile, type ClassifierFile } from './classifier-file.js';
import { cutPeople } from './cut-people.js';
import { openData } from './data-source.js';
import { featurePieces, FEATURE_FORMATS, type EmbeddedVideo, type FeatureFormat } from './embed-file.js';
import { defaultNeighbors, layOutFeatures, LEAST_VIDEOS } from './embed-layout.js';
import { setOfDataset, setOfSources, type SetVideo, type VideoSet } from './embed-set.js';
import { foldOf } from './evaluate-dataset.js';
import { scoringProgress } from './evaluate-progress.js';
import type { EmbedOptions } from './classifier-options.js';
import {
  displayPath,
  requireWritable,
  requireWritablePicture,
  terminal,
  writePicture,
  type Terminal,
} from './output.js';
import { scoreVideos } from './predict-videos.js';
import { scoringOptions } from './predictions.js';

function requireOptions(sources: readonly string[], options: EmbedOptions): FeatureFormat {
  const { data, root, out, picture } = options;
  if (data === undefined) {
    if (sources.length === 0)
      throw new OptionError('sources', sources, 'videos, or a data set by --data and --root');
    const ofDatasets = { '--root': root, '--classes-file': options.classesFile, '--fold': options.fold };
    for (const [key, value] of Object.entries({ ...ofDatasets, '--part': options.part }))
      if (value !== undefined) throw new OptionError(key, value, '--data with it');
  } else {
    if (sources.length > 0) throw new OptionError('--data', data, 'no videos as arguments beside it');
    if (root === undefined) throw new OptionError('--data', data, '--root with it');
  }
  if (picture === undefined) {
    const ofPictures = { '--neighbors': options.neighbors, '--min-dist': options.minDist };
    for (const [key, value] of Object.entries({ ...ofPictures, '--seed': options.seed }))
      if (value !== undefined) throw new OptionError(key, value, '--picture with it');
  } else requireWritablePicture('--picture', picture);
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

async function findVideos(
  sources: readonly string[],
  options: EmbedOptions,
  file: ClassifierFile,
  badFiles: BadFiles,
): Promise<VideoSet> {
  const { data, root, classesFile, part = 'test' } = options;
  if (data === undefined || root === undefined)
    return setOfSources(sources, file.description.classNames, badFiles);
  const dataset = await openData({ data, root, classesFile });
  return setOfDataset(dataset, foldOf(options, file, dataset), part);
}

/** Throws `OptionError` or `UserError` for a picture of too few videos. */
function requireEnough(videos: number, { picture, neighbors }: EmbedOptions): void {
  if (picture === undefined) return;
  if (videos < LEAST_VIDEOS)
    throw new UserError(
      `a picture takes at least ${LEAST_VIDEOS} videos, and there are ${videos}: leave out --picture`,
    );
  if (neighbors !== undefined && neighbors >= videos)
    throw new OptionError('--neighbors', neighbors, `less than the ${videos} videos that there are`);
}

/**
 * Writes the features of videos to a file, and a picture of them in the plane.
 *
 * @throws {OptionError} for options that contradict each other, before anything else is done
 * @throws {NoReadableVideoError} when none of the videos can be read
 */
export async function embed(
  sources: readonly string[],
  options: EmbedOptions,
  io: Terminal = terminal,
  open?: typeof openFaceDetector,
): Promise<void> {
  const format = requireOptions(sources, options);
  const path = await resolveCheckpoint(options.checkpoint, (warning) => io.note(`warning: ${warning}`));
  const file = await readClassifierFile(path);
  const badFiles = new BadFiles(io, false);
  const { videos, labelNames } = await findVideos(sources, options, file, badFiles);
  requireEnough(videos.length, options);
  const cut =
    options.crop === 'face'
      ? await cutPeople(videos, { workers: options.workers, onBadFile: badFiles.report, note: io.note, open })
      : undefined;
  const crop = options.crop === 'face' ? ('none' as const) : options.crop;
  const scored: readonly SetVideo[] =
    cut?.people.map(({ video, path, person, people }) => ({
      ...{ ...video, path, id: people === 1 ? video.id : `${video.id}#${person}` },
    })) ?? videos;
  const { model, classNames } = file.description;
  io.note(
    `${displayPath(path)}: ${model.encoder.dim} features of each of ${scored.length} ${cut === undefined ? 'videos' : 'people'}`,
  );

  const embedded: EmbeddedVideo[] = [];
  let count = 0;
  async function* results(): AsyncGenerator<EmbeddedVideo, void> {
    const settings = { ...options, crop, onBadFile: badFiles.report, progress: scoringProgress(io.note) };
    for await (const { video, ...answer } of scoreVideos(file, scored, scoringOptions(file, settings))) {
      const { id, label } = scored[video]!;
      const result = { id, label, ...answer };
      count++;
      if (options.picture !== undefined) embedded.push(result);
      yield result;
    }
  }
  try {
    await writeFileInPieces(options.out, featurePieces(format, results(), { classNames, labelNames }));
  } finally {
    cut?.remove();
  }
  io.note(`wrote ${options.out}: ${count} videos`);
  if (badFiles.count > 0) io.note(`warning: ${badFiles.count} files were left out, as told above`);
  if (options.picture !== undefined) {
    requireEnough(count, options);
    await writePicture(options.picture, pictureOf(embedded, labelNames, classNames, options));
    io.note(`drew ${options.picture}`);
  }
}

/** Features in the plane, coloured by label, or by predicted class where there are no labels; SVG. */
function pictureOf(
  videos: readonly EmbeddedVideo[],
  labelNames: readonly string[] | null,
  classNames: readonly string[],
  { neighbors, minDist = 0.1, seed = 0 }: EmbedOptions,
): string {
  const places = layOutFeatures(
    videos.map(({ feature }) => feature),
    { neighbors: neighbors ?? defaultNeighbors(videos.length), minDist, seed },
  );
  return scatterChart({
    title: `UMAP of ${videos.length} videos by ${labelNames ? 'label' : 'predicted class'}`,
    points: videos.map(({ label, predicted }, i) => {
      const [x, y] = places[i]!;
      return { x, y, label: labelNames ? label : predicted };
    }),
    classNames: labelNames ?? classNames,
  });
}
