/** What is known of a video or a folder of frames before it is decoded. */
import type { Colour } from '@tubelet/kernels';

/** Bytes of a file. */
export interface FilePart {
  path: string;
  begin: number;
  length: number;
}

/** Where a video lies. */
export interface VideoPlace {
  /** Its file; of a video in a shard, the shard with the name that it has there, for people to read. */
  path: string;
  /** Of a video in a shard. */
  part?: FilePart;
}

/** What a video says of itself. */
export interface VideoInfo extends VideoPlace {
  kind: 'video' | 'frames';
  /** Of a frame as it is shown, rotation applied. */
  width: number;
  height: number;
  frameCount: number;
  /** Frames per second. A folder of frames has no rate of its own; `FRAME_FOLDER_RATE` stands in. */
  framesPerSecond: number;
  durationSeconds: number;
  /** When each frame is shown, in seconds from the start of the file, rising. Empty for a folder of frames. */
  timesSeconds: Float64Array;
  /** Whether a frame is found by its time; otherwise frames are counted from the first one on. */
  seekable: boolean;
  /** Of frames in 4:2:0 with 8 bits, which are converted to RGB here; ffmpeg converts all others by itself. */
  colour?: Colour;
  /** Where the WebCodecs decoder finds the frames; without it, ffmpeg decodes. */
  container?: ContainerInfo;
}

export interface ContainerInfo {
  /** The time in the container at which the file starts. */
  startSeconds: number;
  /** Degrees by which coded frames are turned clockwise to be shown. */
  rotation: 0 | 90 | 180 | 270;
}

/** The rate that a folder of frames is taken to have where times matter. */
export const FRAME_FOLDER_RATE = 25;

/** What the times of its frames say of a video: their number, rate and duration. */
export function describeTimes(
  times: ArrayLike<number>,
  /** Taken where there is one frame only. */
  rate: number,
): Pick<VideoInfo, 'frameCount' | 'framesPerSecond' | 'durationSeconds' | 'timesSeconds'> {
  const frameCount = times.length;
  // Shared memory goes to other threads without being copied.
  const timesSeconds = new Float64Array(new SharedArrayBuffer(frameCount * Float64Array.BYTES_PER_ELEMENT));
  timesSeconds.set(times);
  const spanSeconds = (timesSeconds.at(-1) as number) - (timesSeconds[0] as number);
  const framesPerSecond = spanSeconds > 0 ? (frameCount - 1) / spanSeconds : rate;
  return { frameCount, framesPerSecond, durationSeconds: frameCount / framesPerSecond, timesSeconds };
}
