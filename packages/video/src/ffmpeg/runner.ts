/** One way to run ffmpeg, whichever ffmpeg it is. */
import type { VideoPlace } from '../decode/video-info.js';

export interface FfmpegJob {
  input: VideoPlace;
  /** Options in front of `-i`. */
  inputOptions?: string[];
  /** Options of the one output, its format (`-f`) included. */
  outputOptions: string[];
  /** Called with each piece of output, in order. The bytes are only valid during the call. */
  onOutput: (bytes: Uint8Array) => void;
}

export interface FfmpegResult {
  exitCode: number;
  /** What ffmpeg wrote for people to read. */
  log: string;
}

/** A signal ended ffmpeg, as when a whole process group is told to stop: the file is not to blame. */
export class FfmpegInterruptedError extends Error {
  override readonly name = 'FfmpegInterruptedError';
}

export interface FfmpegRunner {
  /** Options that make ffmpeg keep every frame once, as this version spells them. */
  readonly passEveryFrame: readonly string[];
  /** @throws FfmpegInterruptedError */
  run(job: FfmpegJob): Promise<FfmpegResult>;
}

/** Options every run starts with. */
export const GLOBAL_OPTIONS: readonly string[] = ['-hide_banner', '-loglevel', 'info', '-nostats'];
