/** What the decoding threads are asked and answer. */
import type { Ffmpeg } from './ffmpeg';
import type { FrameShape } from './decode';
import type { VideoInfo } from './probe';
import type { Box } from './resize';

export interface WorkerSetup {
  ffmpeg: Ffmpeg;
  /** For a `wasm` ffmpeg: compiled once, shared by all threads. */
  wasmModule?: WebAssembly.Module;
}

/** Reads the header of a file. */
export interface ProbeJob {
  kind: 'probe';
  path: string;
}

/** Decodes the frames `begin` … `end − 1` into shared memory, [end − begin, size, size, 3]. */
export interface RangeJob {
  kind: 'range';
  info: VideoInfo;
  begin: number;
  end: number;
  shape: FrameShape;
  target: SharedArrayBuffer;
}

/** Frames that a `RangeJob` has decoded; the first of them is frame `begin` of the video. */
export interface DecodedFrames {
  frames: SharedArrayBuffer;
  begin: number;
}

/** Makes one clip: decodes its frames or takes them out of decoded ones, then cuts out `box`, if given. */
export interface ClipJob {
  kind: 'clip';
  info: VideoInfo;
  indices: number[];
  shape: FrameShape;
  box?: Box;
  decoded?: DecodedFrames;
}

export type Job = ProbeJob | RangeJob | ClipJob;

/** The answer to each kind of job. */
export interface JobResult {
  probe: VideoInfo;
  range: null;
  /** [indices.length, size, size, 3]. */
  clip: Uint8Array<ArrayBuffer>;
}

export interface WorkerRequest {
  id: number;
  job: Job;
}

export type WorkerFailure =
  | { kind: 'VideoDecodeError'; path: string; reason: string }
  | { kind: 'other'; message: string; stack?: string };

export type WorkerResponse =
  /** Said once, as soon as the thread can work. */
  | { ready: true }
  | { ready?: false; id: number; ok: true; value: JobResult[keyof JobResult] }
  | { ready?: false; id: number; ok: false; failure: WorkerFailure };
