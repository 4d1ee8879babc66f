/** Finds out with ffmpeg what a video holds. */
import { VideoDecodeError } from '../errors.js';
import {
  complaints,
  parseFrameList,
  parseInputHeader,
  type FrameTimes,
  type InputHeader,
} from './ffmpeg-output.js';
import type { FfmpegResult, FfmpegRunner } from './runner.js';
import { describeTimes, FRAME_FOLDER_RATE, type VideoInfo, type VideoPlace } from '../decode/video-info.js';

/** Lists the packets of the first video stream without decoding them: one line each, with its times. */
const LIST_PACKETS = ['-map', '0:v:0', '-c', 'copy', '-copyinkf', '-f', 'framecrc'];

/** Lists the decoded frames in the same way; a corner of each is enough. */
const LIST_FRAMES = ['-map', '0:v:0', '-vf', 'crop=2:2:0:0', '-f', 'framecrc'];

/**
 * Containers that give each packet the time at which its frame is shown and that seek to it exactly. In the others
 * (AVI, MPEG streams, bare H.264), times are missing or not found again: their frames are counted by decoding, and
 * clips are found by counting.
 */
const EXACT_FORMATS = new Set(['mov', 'matroska', 'webm', 'flv', 'asf', 'gif']);

/** Runs ffmpeg with a list as its output. */
async function list(
  runner: FfmpegRunner,
  place: VideoPlace,
  outputOptions: string[],
): Promise<FfmpegResult & { text: string }> {
  const pieces: Buffer[] = [];
  const result = await runner.run({
    input: place,
    inputOptions: ['-copyts'],
    outputOptions,
    onOutput: (bytes) => pieces.push(Buffer.from(bytes)),
  });
  return { ...result, text: Buffer.concat(pieces).toString('latin1') };
}

/**
 * Looks at a video file: its packets are counted; they are decoded only where that is unsafe.
 *
 * @throws VideoDecodeError when it is not a video, holds no frame, or is cut short.
 */
export async function probeVideo(runner: FfmpegRunner, place: VideoPlace): Promise<VideoInfo> {
  const { path } = place;
  const packets = await list(runner, place, LIST_PACKETS);
  const header = parseInputHeader(packets.log);
  if (header === undefined) {
    const opened = /^Input #0/m.test(packets.log);
    throw new VideoDecodeError(path, opened ? 'it holds no video stream' : complaints(packets.log));
  }
  // A file that ends early still begins like a whole one; the demuxer notices only when it gets there.
  if (/partial file|File ended prematurely|Truncating packet/i.test(packets.log)) {
    throw new VideoDecodeError(path, `the file is cut short (${complaints(packets.log)})`);
  }
  let frames = parseFrameList(packets.text);
  const exact = packets.exitCode === 0 && header.formats.some((format) => EXACT_FORMATS.has(format));
  const seekable = exact && frames.seconds !== undefined;
  if (!seekable) {
    const decoded = await list(runner, place, [...LIST_FRAMES, ...runner.passEveryFrame]);
    if (decoded.exitCode !== 0) throw new VideoDecodeError(path, complaints(decoded.log));
    frames = parseFrameList(decoded.text);
  }
  return describe(place, header, frames, seekable);
}

function describe(
  { path, part }: VideoPlace,
  header: InputHeader,
  frames: FrameTimes,
  seekable: boolean,
): VideoInfo {
  const rate = header.framesPerSecond ?? FRAME_FOLDER_RATE;
  const seconds =
    frames.seconds?.map((time) => time - header.startSeconds) ??
    Array.from({ length: frames.count }, (_, i) => i / rate);
  // Packets in front of the file's start are there for the decoder only (edit lists) and are not shown.
  const shown = seekable ? seconds.filter((time) => time > -1e-3) : seconds;
  if (shown.length === 0) throw new VideoDecodeError(path, 'it holds no frames');
  const { width, height, colour } = header;
  return { path, part, kind: 'video', width, height, seekable, colour, ...describeTimes(shown, rate) };
}
