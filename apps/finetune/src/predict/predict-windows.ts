/** Long videos as windows of equal length, one after the other, each scored like a video of its own. */
import {
  framesWithin,
  DecoderPool,
  VideoDecodeError,
  type BadFile,
  type ClipShape,
  type TestVideo,
  type VideoEntry,
  type VideoInfo,
} from '@tubelet/video';

/** A stretch of a video, in seconds from its start. */
export interface Window {
  readonly startSeconds: number;
  readonly endSeconds: number;
}

/** Where windows lie. */
export interface WindowSpacing {
  readonly windowSeconds: number;
  /** From the start of one window to that of the next. */
  readonly hopSeconds: number;
}

/** Times are written without the traces of floating point. */
const roundTime = (seconds: number): number => Math.round(seconds * 1e6) / 1e6;

/**
 * Windows one every `hopSeconds` from the start, as long as they end within the video; then, where they leave a rest,
 * one more that ends with the video. A video shorter than a window is one window.
 */
export function planWindows(info: VideoInfo, { windowSeconds, hopSeconds }: WindowSpacing): Window[] {
  const frameSeconds = info.durationSeconds / info.frameCount;
  const lastShown = info.timesSeconds.at(-1) ?? info.durationSeconds - frameSeconds;
  const ended = lastShown + frameSeconds;
  // Half a frame is a matter of rounding.
  const tolerance = frameSeconds / 2;
  const windows: Window[] = [];
  const add = (start: number, end: number) =>
    windows.push({ startSeconds: roundTime(start), endSeconds: roundTime(end) });
  for (let k = 0; k * hopSeconds + windowSeconds <= ended + tolerance; k++)
    add(k * hopSeconds, k * hopSeconds + windowSeconds);
  const covered = windows.at(-1)?.endSeconds ?? 0;
  if (covered < ended - tolerance) add(Math.max(0, ended - windowSeconds), ended);
  return windows;
}

/**
 * The distance of a clip's frames in a window of `frameCount` frames: `step`, or less where the clip would otherwise
 * outlast the window and repeat its last frame.
 */
export function windowFrameStep(frameCount: number, { frames, step }: ClipShape): number {
  if (frames === 1) return step;
  return Math.max(1, Math.min(step, Math.floor((frameCount - 1) / (frames - 1))));
}

/** A window to be scored. */
export interface VideoWindow extends Window, TestVideo {
  /** Which of the entries it is a part of. */
  readonly entry: number;
  readonly step: number;
}

/** The windows of many videos. */
export interface WindowPlan {
  readonly windows: readonly VideoWindow[];
  /** Whether none of them has room for two clips side by side. */
  readonly oneClip: boolean;
}

export interface FindWindowsOptions extends WindowSpacing {
  readonly frames: number;
  /** Distance between the frames of a clip; of windows too short for it, see {@link windowFrameStep}. */
  readonly frameStep: number;
  /** Keep to `frameStep` in short windows too. */
  readonly fixedStep: boolean;
  readonly workers?: number;
  /** Told of each video that cannot be read. */
  readonly onBadFile: (file: BadFile) => void;
}

/**
 * Looks at the headers of videos and lays windows over them.
 *
 * @throws FfmpegNotFoundError
 */
export async function findWindows(
  entries: readonly VideoEntry[],
  options: FindWindowsOptions,
): Promise<WindowPlan> {
  const { frames, frameStep, fixedStep, workers, onBadFile } = options;
  const pool = await DecoderPool.open({ workers });
  const windows: VideoWindow[] = [];
  let oneClip = true;
  try {
    for (const [entry, { path, member }] of entries.entries()) {
      try {
        const info = await pool.probe(path, member);
        for (const window of planWindows(info, options)) {
          const { begin, end } = framesWithin(info, window);
          const shape = { frames, step: frameStep };
          const step = fixedStep ? frameStep : windowFrameStep(end - begin, shape);
          oneClip &&= end - begin < 2 * frames * step;
          windows.push({ ...window, entry, path, member, timeRange: window, step });
        }
      } catch (error) {
        if (!(error instanceof VideoDecodeError)) throw error;
        onBadFile({ path, reason: error.reason });
      }
    }
  } finally {
    await pool.close();
  }
  return { windows, oneClip };
}
