/** What the decoding threads are asked and answer. */
import type { Ffmpeg } from '../ffmpeg/ffmpeg.js';
import type { ClipToEncode, EncodedClip } from '../shards/encode-clip.js';
import type { ShardMember } from '../shards/member.js';
import type { FrameShape } from '../decode/decode.js';
import type { VideoInfo } from '../decode/video-info.js';
import type { CodedFrames } from '../pixels/coded-frames.js';

export interface WorkerSetup {
  ffmpeg: Ffmpeg;
  /** For a `wasm` ffmpeg: compiled once, shared by all threads. */
  wasmModule?: WebAssembly.Module;
  /** See `DecoderPoolOptions`. */
  decodeLimitMs?: number;
  /** The script of the WebCodecs decoder process; without it, ffmpeg decodes everything. */
  decoderProcess?: string;
  /** The folder of the `HeaderCache`, and its `decoder`. */
  headers: { folder: string; decoder: string };
}

/** Reads the header of a file. */
export interface ProbeJob {
  kind: 'probe';
  path: string;
  /** Of a video in a shard. */
  member?: ShardMember;
}

/** Decodes the frames `begin` … `end − 1` into shared memory. */
export interface RangeJob {
  kind: 'range';
  info: VideoInfo;
  begin: number;
  end: number;
  shape: FrameShape;
}

/** Frames that a `RangeJob` has decoded; the first of them is frame `begin` of the video. */
export interface DecodedFrames {
  frames: CodedFrames;
  begin: number;
}

/** Makes one clip: decodes its frames or takes them out of decoded ones. */
export interface ClipJob {
  kind: 'clip';
  info: VideoInfo;
  indices: number[];
  shape: FrameShape;
  decoded?: DecodedFrames;
}

/** Decodes a whole video and encodes it anew as square frames. */
export interface EncodeJob extends ClipToEncode {
  kind: 'encode';
}

export type Job = ProbeJob | RangeJob | ClipJob | EncodeJob;

/** The video that a job is about. */
export const pathOf = (job: Job): string => (job.kind === 'probe' ? job.path : job.info.path);

/** The answer to each kind of job. */
export interface JobResult {
  probe: VideoInfo;
  range: CodedFrames;
  clip: CodedFrames;
  encode: EncodedClip;
}

export interface WorkerRequest {
  id: number;
  job: Job;
}

export type WorkerFailure =
  | { kind: 'VideoDecodeError'; path: string; reason: string }
  | { kind: 'VideoSourceError'; message: string }
  | { kind: 'other'; message: string; stack?: string };

export type WorkerResponse =
  /** Said once, as soon as the thread can work. */
  | { kind: 'ready' }
  /** A decoder process of this thread started or ended. */
  | { kind: 'process'; pid: number; alive: boolean }
  | { kind: 'answer'; id: number; ok: true; value: JobResult[keyof JobResult] }
  | { kind: 'answer'; id: number; ok: false; failure: WorkerFailure }
  /** The decoder process has ended, as it was told to. */
  | { kind: 'closed' };
