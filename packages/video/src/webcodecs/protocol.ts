/** What a decoder process is asked and answers. */
import type { Colour } from '@tubelet/kernels';
import type { Box } from '../pixels/resize.js';
import type { ContainerInfo, VideoPlace } from '../decode/video-info.js';

/** Looks at a video. */
export interface ProbeRequest extends VideoPlace {
  kind: 'probe';
}

/** Frames of a video. */
export interface FramesPlace extends VideoPlace {
  /** When each wanted frame is shown by the container's own times, rising. */
  times: Float64Array;
  rotation: ContainerInfo['rotation'];
  colour: Colour;
  /** Of a frame as it is shown. */
  width: number;
  height: number;
}

/** Decodes frames. */
export interface FramesRequest extends FramesPlace {
  kind: 'frames';
  /** Cut out of each frame as it is coded, before it is turned, and halved where it is much larger than `size`. */
  box: Box;
  size: number;
}

/** How a video is encoded anew. */
export interface EncodeShape {
  /** Edge of the square frames, even. */
  size: number;
  /** Frames from one key frame to the next. */
  keyFrameInterval: number;
}

/** Decodes frames and encodes them again. */
export interface EncodeRequest extends FramesPlace, EncodeShape {
  kind: 'encode';
  /** Cut out of each frame. */
  box: Box;
}

/** Encodes frames that another decoder has decoded. */
export interface EncodeFramesRequest extends EncodeShape {
  kind: 'encodeFrames';
  /** Of the video that they are of. */
  path: string;
  /** [times.length] frames of 4:2:0, `size` × `size`. */
  planes: Uint8Array;
  times: Float64Array;
  colour: Colour;
}

export type ProcessRequest = ProbeRequest | FramesRequest | EncodeRequest | EncodeFramesRequest;

/** An mp4 file in memory. */
export interface EncodedVideo {
  mp4: Uint8Array;
  /** When each frame is shown, by the times in it. */
  times: Float64Array;
}

/** What a container and the first frame in it tell. */
export interface ProbedVideo {
  /** Of a frame as it is shown. */
  width: number;
  height: number;
  /** When each frame is shown, from the start of the file. */
  times: Float64Array;
  colour: Colour;
  container: ContainerInfo;
}

export interface ProcessResult {
  probe: ProbedVideo;
  /** The frames one behind the other, see `keepFrame`. */
  frames: Uint8Array;
  encode: EncodedVideo;
  encodeFrames: EncodedVideo;
}

export type ProcessResponse =
  /** Said once, as soon as the process can work; `failure` where the library cannot be loaded. */
  | { kind: 'ready'; failure?: string }
  | { kind: 'done'; value: ProcessResult[keyof ProcessResult] }
  /** The file is for ffmpeg to try: this decoder cannot read it, or not surely the same frames. */
  | { kind: 'refused'; reason: string };
