/** What a decoder process is asked and answers. */
import type { CodedFrame, Colour } from '@tubelet/kernels';
import type { Box } from '../resize';
import type { ContainerInfo } from '../video-info';

/** Looks at a video. */
export interface ProbeRequest {
  kind: 'probe';
  path: string;
}

/** Decodes frames. */
export interface FramesRequest {
  kind: 'frames';
  path: string;
  /** When each wanted frame is shown by the container's own times, rising. */
  times: Float64Array;
  /** What each frame is, before it is turned. */
  frame: CodedFrame;
  /** Cut out of each frame as it is coded, and halved where it is much larger than `size`. */
  box: Box;
  size: number;
}

export type ProcessRequest = ProbeRequest | FramesRequest;

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
}

export type ProcessResponse =
  /** Said once, as soon as the process can work; `failure` where the library cannot be loaded. */
  | { kind: 'ready'; failure?: string }
  | { kind: 'done'; value: ProcessResult[keyof ProcessResult] }
  /** The file is for ffmpeg to try: this decoder cannot read it, or not surely the same frames. */
  | { kind: 'refused'; reason: string };
