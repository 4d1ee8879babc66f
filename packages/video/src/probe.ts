/** What a video or a folder of frames holds. */
import { statSync } from 'node:fs';
import { VideoDecodeError } from './errors';
import { probeFrameFolder } from './frame-folder';
import type { FfmpegRunner } from './runner';

export interface VideoInfo {
  path: string;
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
}

/** The rate that a folder of frames is taken to have where times matter. */
export const FRAME_FOLDER_RATE = 25;

const COMPLAINT =
  /error|invalid|not found|could not|unable|missing|partial|unsupported|unknown|truncat|out of bounds/i;

/** What ffmpeg's log complains of, in a line; addresses and the name under which it saw the file are left out. */
export function complaints(log: string): string {
  const lines = log
    .split(/[\r\n]+/)
    .map((line) => line.replace(/\[[^\]]* @ 0x[0-9a-f]+\]\s*/g, '').replace(/^(file:|\/input)[^:]*: /, ''))
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(Aborted\(|Conversion failed|frame=|video:)/.test(line));
  const found = [...new Set(lines.filter((line) => COMPLAINT.test(line)))];
  if (found.length > 0) return found.slice(0, 2).join('; ');
  return lines.at(-1) ?? 'ffmpeg did not say why';
}

/** Lists the packets of the first video stream without decoding them: one line each, with its times. */
const PACKET_LIST = ['-map', '0:v:0', '-c', 'copy', '-copyinkf', '-f', 'framecrc'];

interface Packets {
  timeBaseSeconds: number;
  /** Presentation times in units of the time base, rising. */
  times: number[];
}

/** Reads what the `framecrc` format writes: `#tb 0: 1/25` and `stream, dts, pts, duration, size, checksum`. */
export function parsePacketList(text: string): Packets {
  const base = /^#tb 0: (\d+)\/(\d+)/m.exec(text);
  const timeBaseSeconds = base === null ? NaN : Number(base[1]) / Number(base[2]);
  const times: number[] = [];
  for (const match of text.matchAll(/^0,\s*\S+,\s*(-?\d+),/gm)) times.push(Number(match[1]));
  return { timeBaseSeconds, times: times.sort((a, b) => a - b) };
}

interface StreamHeader {
  width: number;
  height: number;
  startSeconds: number;
}

/** Reads size, rotation and start time out of ffmpeg's description of its input. */
export function parseInputHeader(log: string): StreamHeader | undefined {
  const input = log.split(/^Output #0/m)[0] ?? '';
  const video = /Stream #0:\d+.*: Video: .*?[ ,](\d{1,5})x(\d{1,5})[ ,\n]/.exec(`${input}\n`);
  if (video === null) return undefined;
  const start = /Duration: .*?, start: (-?[\d.]+)/.exec(input);
  const rotation = /displaymatrix: rotation of (-?[\d.]+) degrees/.exec(input);
  const turned = rotation !== null && Math.round(Math.abs(Number(rotation[1])) / 90) % 2 === 1;
  const [width, height] = [Number(video[1]), Number(video[2])];
  return {
    width: turned ? height : width,
    height: turned ? width : height,
    startSeconds: start === null ? 0 : Number(start[1]),
  };
}

/**
 * Looks at a video file (its packets are counted, not decoded) or a folder of frames.
 *
 * @throws VideoDecodeError when it is missing, no video, empty, or cut short.
 */
export async function probe(runner: FfmpegRunner, path: string): Promise<VideoInfo> {
  const entry = statSync(path, { throwIfNoEntry: false });
  if (entry === undefined) throw new VideoDecodeError(path, 'there is no such file');
  if (entry.isDirectory()) return probeFrameFolder(path);
  if (entry.size === 0) throw new VideoDecodeError(path, 'the file is empty');

  const pieces: Buffer[] = [];
  const { exitCode, log } = await runner.run({
    inputPath: path,
    inputOptions: ['-copyts'],
    outputOptions: PACKET_LIST,
    onOutput: (bytes) => pieces.push(Buffer.from(bytes)),
  });
  const header = parseInputHeader(log);
  if (header === undefined && /^Input #0/m.test(log))
    throw new VideoDecodeError(path, 'it holds no video stream');
  if (header === undefined || exitCode !== 0) throw new VideoDecodeError(path, complaints(log));
  // A file that ends early still begins like a whole one; the demuxer notices only when it gets there.
  if (/partial file|File ended prematurely|Truncating packet/i.test(log)) {
    throw new VideoDecodeError(path, `the file is cut short (${complaints(log)})`);
  }
  const { timeBaseSeconds, times } = parsePacketList(Buffer.concat(pieces).toString('latin1'));
  const fromStart = times.map((time) => time * timeBaseSeconds - header.startSeconds);
  // Packets in front of the file's start are there for the decoder only (edit lists) and are not shown.
  const shown = fromStart.filter((time) => time > -1e-3);
  // Shared memory goes to other threads without being copied.
  const timesSeconds = new Float64Array(new SharedArrayBuffer(shown.length * Float64Array.BYTES_PER_ELEMENT));
  timesSeconds.set(shown);
  const frameCount = timesSeconds.length;
  if (frameCount === 0 || Number.isNaN(timeBaseSeconds))
    throw new VideoDecodeError(path, 'it holds no frames');
  const spanSeconds = (timesSeconds.at(-1) as number) - (timesSeconds[0] as number);
  const framesPerSecond = spanSeconds > 0 ? (frameCount - 1) / spanSeconds : FRAME_FOLDER_RATE;
  return {
    path,
    kind: 'video',
    width: header.width,
    height: header.height,
    frameCount,
    framesPerSecond,
    durationSeconds: frameCount / framesPerSecond,
    timesSeconds,
  };
}
