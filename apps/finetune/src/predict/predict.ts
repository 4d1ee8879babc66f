import { basename, extname } from 'node:path';
import { BadFiles, LoneOptionError, OptionError, timelineChart } from '@tubelet/trainer';
import { writeFileInPieces } from '@tubelet/trainer/formats';
import { listVideos, type openFaceDetector } from '@tubelet/video';
import { cutPeople, writeFacesVideo } from './cut-people.js';
import { resolveCheckpoint } from '../shared/checkpoint-place.js';
import { readClassifierFile } from '../classifier/classifier-file.js';
import { scoringProgress } from '../shared/scoring-progress.js';
import { predictionWriter, type Prediction, type PredictionFormat } from './predict-format.js';
import type { PredictOptions } from './predict-options.js';
import {
  displayPath,
  requireWritable,
  requireWritablePicture,
  terminal,
  writePicture,
  type Terminal,
} from '../shared/output.js';
import { predictVideos, predictWindows, type ScoredEntry } from './predictions.js';

const FORMAT_OF_EXTENSION: Readonly<Record<string, PredictionFormat>> = {
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.csv': 'csv',
  '.txt': 'text',
  '': 'text',
};

/**
 * The format of a file by its name.
 *
 * @throws OptionError for a name that tells none
 */
function formatOfFile(out: string): PredictionFormat {
  const format = FORMAT_OF_EXTENSION[extname(out).toLowerCase()];
  if (format === undefined) {
    throw new OptionError('--out', out, 'a name that ends in .txt, .csv or .jsonl, or --format beside it');
  }
  return format;
}

/** @throws OptionError for options that contradict each other or name files that cannot be written */
function requireOptions(options: PredictOptions): PredictionFormat {
  const { format, out, plot, window, hop, top, crop, facesOut } = options;
  if (window === undefined) {
    if (hop !== undefined) throw new LoneOptionError('--hop', hop, '--window');
    if (plot !== undefined) throw new LoneOptionError('--plot', plot, '--window: the plot is over time');
  }
  if (crop === 'face' && window !== undefined)
    throw new OptionError(
      '--window',
      window,
      'another --crop: cut the faces by `tubelet data faces` first, and score windows of what it writes',
    );
  if (facesOut !== undefined) {
    if (crop !== 'face') throw new LoneOptionError('--faces-out', facesOut, '--crop face');
    if (extname(facesOut).toLowerCase() !== '.mp4')
      throw new OptionError('--faces-out', facesOut, 'a name that ends in .mp4');
    requireWritable('--faces-out', facesOut);
  }
  if (out !== undefined) requireWritable('--out', out);
  if (plot !== undefined) requireWritablePicture('--plot', plot);
  const resolved = format ?? formatOfFile(out ?? '');
  if (top !== undefined && resolved !== 'text')
    throw new OptionError('--top', top, `--format text: ${resolved} has the probabilities of all classes`);
  return resolved;
}

/**
 * Predicts the classes of videos, or of windows along them, and writes them out one by one.
 *
 * @throws OptionError for options that contradict each other, before anything else is done
 * @throws NoReadableVideoError when none of the videos can be read
 */
export async function predict(
  sources: readonly string[],
  options: PredictOptions,
  io: Terminal = terminal,
  open?: typeof openFaceDetector,
): Promise<void> {
  const format = requireOptions(options);
  const { window, hop, plot, out, facesOut, crop } = options;
  const path = await resolveCheckpoint(options.checkpoint, (warning) => io.note(`warning: ${warning}`));
  const file = await readClassifierFile(path);
  const badFiles = new BadFiles(io, false);
  const { entries, skipped } = await listVideos(sources);
  badFiles.leaveOut(skipped);
  if (plot !== undefined && entries.length > 1)
    throw new OptionError('--plot', plot, `one video to draw, and there are ${entries.length}`);
  if (facesOut !== undefined && entries.length > 1)
    throw new OptionError('--faces-out', facesOut, `one video to draw, and there are ${entries.length}`);
  const { classNames } = file.description;
  io.note(`${displayPath(path)} tells ${classNames.length} classes apart: ${classNames.join(', ')}`);

  // On the terminal, the answers themselves show how it goes.
  const progress = out === undefined ? undefined : scoringProgress(io.note);
  const common = { ...options, onBadFile: badFiles.report, progress };
  const { workers } = options;
  const cut =
    crop === 'face'
      ? await cutPeople(entries, { workers, onBadFile: badFiles.report, note: io.note, open })
      : undefined;
  const settings = { ...common, crop: crop === 'face' ? ('none' as const) : crop };
  const scored: readonly ScoredEntry[] =
    cut?.people.map(({ path, video, person }) => ({ path, video: video.path, label: video.label, person })) ??
    entries;
  const predictions =
    window === undefined
      ? predictVideos(file, scored, settings)
      : predictWindows(file, entries, {
          ...settings,
          windowSeconds: window,
          hopSeconds: hop ?? window / 2,
          note: io.note,
        });
  const single = scored.length === 1;
  const writer = predictionWriter(format, {
    classNames,
    labelled: entries.some(({ label }) => label !== undefined),
    windowed: window !== undefined,
    people: cut !== undefined,
    single,
    top: options.top ?? (single && window === undefined ? classNames.length : 3),
  });
  const read = new Set<string>();
  const drawn: Prediction[] = [];

  async function* pieces(): AsyncGenerator<string, void> {
    let isFirst = true;
    for await (const prediction of predictions) {
      if (isFirst) yield writer.header;
      isFirst = false;
      yield writer.format(prediction);
      read.add(prediction.path);
      if (plot !== undefined || facesOut !== undefined) drawn.push(prediction);
    }
  }
  try {
    if (out === undefined) for await (const piece of pieces()) await io.write(piece);
    else {
      await writeFileInPieces(out, pieces());
      io.note(`wrote ${out}`);
    }
  } finally {
    cut?.remove();
  }
  if (facesOut !== undefined && cut !== undefined) {
    const answers = drawn.map(({ person, predicted, probabilities }) => ({
      track: cut.people[person! - 1]!.track,
      text: `${person} ${classNames[predicted]} ${Math.round(100 * probabilities[predicted]!)} %`,
    }));
    await writeFacesVideo(facesOut, entries[0]!, answers);
    io.note(`drew ${facesOut}`);
  }
  if (plot !== undefined) {
    await writePicture(plot, timelineOf(drawn, classNames, window!));
    io.note(`drew ${plot}`);
  }
  const files = new Set([...entries, ...skipped].map((one) => one.path)).size;
  if (read.size < files)
    io.note(`warning: ${files - read.size} of ${files} files were left out, as told above`);
}

/** The probabilities of a video's windows as a chart, SVG. */
function timelineOf(
  windows: readonly Prediction[],
  classNames: readonly string[],
  windowSeconds: number,
): string {
  return timelineChart({
    title: basename(windows[0]!.path),
    classNames,
    points: windows.map(({ window, probabilities }) => ({
      seconds: (window!.startSeconds + window!.endSeconds) / 2,
      probabilities,
    })),
    windowSeconds,
    durationSeconds: windows.at(-1)!.window!.endSeconds,
  });
}
