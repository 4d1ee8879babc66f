import { NoReadableVideoError, type BadFile, type VideoEntry } from '@tubelet/video';
import type { ClassifierFile } from '../classifier/classifier-file.js';
import type { Prediction } from './predict-format.js';
import type { ClassifierOptions } from '../shared/classifier-options.js';
import { displayPath } from '../shared/output.js';
import { scoreVideos, type ScoringOptions } from './predict-videos.js';
import { findWindows, type WindowSpacing } from './predict-windows.js';

/** Clips of a video, as in evaluation. */
export const CLIPS = 2;

export interface PredictionSettings
  extends Omit<ClassifierOptions, 'checkpoint'>, Pick<ScoringOptions, 'onBadFile' | 'progress'> {
  readonly clips?: number;
}

/** How a classifier's videos are scored: as it was trained, where the options do not say otherwise. */
export function scoringOptions(
  { description }: ClassifierFile,
  { clips = CLIPS, frameStep, crop, batchSize, workers, gpu, onBadFile, progress }: PredictionSettings,
): ScoringOptions {
  return {
    clips,
    frameStep: frameStep ?? description.clips.frameStep,
    crop: crop ?? description.clips.crop,
    batchSize,
    workers,
    gpu,
    onBadFile,
    progress,
  };
}

/** A video to be scored, or a person who was cut out of one. */
export interface ScoredEntry extends Pick<VideoEntry, 'path' | 'label' | 'timeRange' | 'member'> {
  /** The video, where `path` holds a person's faces. */
  readonly video?: string;
  readonly person?: number;
}

/**
 * A prediction for each video that can be read.
 *
 * @throws as `scoreVideos`
 */
export async function* predictVideos(
  file: ClassifierFile,
  entries: readonly ScoredEntry[],
  settings: PredictionSettings,
): AsyncGenerator<Prediction, void> {
  for await (const { video, ...answer } of scoreVideos(file, entries, scoringOptions(file, settings))) {
    const entry = entries[video]!;
    const { label, person } = entry;
    yield { path: displayPath(entry.video ?? entry.path), label, person, ...answer };
  }
}

export interface WindowSettings extends PredictionSettings, WindowSpacing {
  readonly note: (line: string) => void;
}

/**
 * A prediction for each window of each video that can be read.
 *
 * @throws NoReadableVideoError when none of the videos can be read; otherwise as `scoreVideos`
 */
export async function* predictWindows(
  file: ClassifierFile,
  entries: readonly VideoEntry[],
  settings: WindowSettings,
): AsyncGenerator<Prediction, void> {
  const { note, windowSeconds, hopSeconds } = settings;
  const scoring = scoringOptions(file, settings);
  const { frameStep, workers, onBadFile } = scoring;
  const { frames } = file.description.model.encoder;
  const badFiles: BadFile[] = [];
  const { windows, oneClip } = await findWindows(entries, {
    frames,
    frameStep,
    fixedStep: settings.frameStep !== undefined,
    windowSeconds,
    hopSeconds,
    workers,
    onBadFile: (bad) => {
      badFiles.push(bad);
      onBadFile(bad);
    },
  });
  if (windows.length === 0) {
    throw new NoReadableVideoError(
      `None of the ${entries.length} videos can be read; the reasons are given above. Check that the files are whole ` +
        'and that ffmpeg reads them.',
      badFiles,
    );
  }
  const closest = windows.reduce((least, { step }) => Math.min(least, step), frameStep);
  if (closest < frameStep) {
    note(
      `windows of ${windowSeconds} s have no room for ${frames} frames at a step of ${frameStep}: ` +
        `they are taken at a step of ${closest}`,
    );
  }
  const clips = settings.clips ?? (oneClip ? 1 : CLIPS);
  let scored = 0;
  for await (const { video, ...answer } of scoreVideos(file, windows, { ...scoring, clips })) {
    const { entry, startSeconds, endSeconds } = windows[video]!;
    const { path, label } = entries[entry]!;
    scored++;
    yield { path: displayPath(path), label, window: { startSeconds, endSeconds }, ...answer };
  }
  if (scored < windows.length)
    note(`warning: ${windows.length - scored} of ${windows.length} windows could not be scored`);
}
