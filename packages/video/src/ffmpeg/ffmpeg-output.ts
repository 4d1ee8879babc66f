/** Reads what ffmpeg writes. */
import type { Colour } from '@tubelet/kernels';

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

export interface FrameTimes {
  /** Frames, or packets where those were listed. */
  count: number;
  /** When each is shown, in seconds, rising; undefined where some have no time or two have the same. */
  seconds?: number[];
}

/** Reads a list in the `framecrc` format: `#tb 0: 1/25` and `stream, dts, pts, duration, size, checksum`. */
export function parseFrameList(text: string): FrameTimes {
  const base = /^#tb 0: (\d+)\/(\d+)/m.exec(text);
  const secondsPerTick = base === null ? NaN : Number(base[1]) / Number(base[2]);
  const times = Array.from(
    text.matchAll(/^0,\s*\S+,\s*([^,\s]+),/gm),
    (match) => Number(match[1]) * secondsPerTick,
  );
  times.sort((a, b) => a - b);
  const rising = times.every(
    (time, i) => !Number.isNaN(time) && (i === 0 || time > (times[i - 1] as number)),
  );
  return { count: times.length, seconds: rising ? times : undefined };
}

export interface InputHeader {
  /** Names of the container format, for instance `mov,mp4,m4a,3gp,3g2,mj2`. */
  formats: string[];
  /** Of a frame as it is shown, rotation applied. */
  width: number;
  height: number;
  /** As the file states it, if it does. */
  framesPerSecond?: number;
  startSeconds: number;
  /** Of frames in 4:2:0 with 8 bits; undefined for other pixel formats. */
  colour?: Colour;
}

/**
 * Reads pixel format, range and matrix out of a stream's line, such as `yuv420p(tv, bt709/unknown/unknown)`. What is
 * not said is limited range and BT.601, as ffmpeg itself takes it.
 */
function parseColour(stream: string): Colour | undefined {
  const format = /, yuv(j?)420p(?:\(([^)]*)\))?(?:,|$)/.exec(stream);
  if (format === null) return undefined;
  const properties = (format[2] ?? '').split(/[,/]/).map((property) => property.trim());
  const matrix = properties.find((property) => property !== 'tv' && property !== 'pc');
  return {
    matrix: matrix === 'bt709' ? 'bt709' : matrix === 'bt2020nc' ? 'bt2020' : 'bt601',
    fullRange: format[1] === 'j' || properties.includes('pc'),
  };
}

/** Reads the description of the first video stream of ffmpeg's input; undefined where there is none. */
export function parseInputHeader(log: string): InputHeader | undefined {
  const input = log.split(/^Output #0/m)[0] ?? '';
  const video = /Stream #0:\d+.*: Video: .*?[ ,](\d{1,5})x(\d{1,5})(?:[ ,].*)?$/m.exec(input);
  if (video === null) return undefined;
  const rate = / ([\d.]+) fps/.exec(video[0]);
  const start = /Duration: .*?, start: (-?[\d.]+)/.exec(input);
  const rotation = /displaymatrix: rotation of (-?[\d.]+) degrees/.exec(input);
  const turned = rotation !== null && Math.round(Math.abs(Number(rotation[1])) / 90) % 2 === 1;
  const [width, height] = [Number(video[1]), Number(video[2])];
  return {
    formats: (/^Input #0, (\S+), from/m.exec(input)?.[1] ?? '').split(','),
    width: turned ? height : width,
    height: turned ? width : height,
    framesPerSecond: rate === null || Number(rate[1]) === 0 ? undefined : Number(rate[1]),
    startSeconds: start === null ? 0 : Number(start[1]),
    colour: parseColour(video[0]),
  };
}
