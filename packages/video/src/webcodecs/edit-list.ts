/** What the edit list of an mp4 or mov file leaves of its video. */
import { open, type FileHandle } from 'node:fs/promises';
import type { VideoPlace } from '../decode/video-info.js';
import { boxesOf, findBox } from './mp4-boxes.js';
import { RefusedVideoError } from './refused.js';

/** A header larger than this is not read: the file is left to ffmpeg. */
const LARGEST_HEADER_BYTES = 64 * 2 ** 20;
/** So many boxes are stepped over: `moov` is among the first, or behind all the data of the file. */
const MOST_BOXES = 10_000;

/** Reads the box `moov`, stepping over the others; undefined where there is none, as in mkv. */
async function readMovieBox(file: FileHandle, begin: number, end: number): Promise<Buffer | undefined> {
  const header = Buffer.alloc(16);
  for (let at = begin, boxes = 0; at + 8 <= end; boxes++) {
    if (boxes === MOST_BOXES)
      throw new RefusedVideoError(`it begins with ${boxes} boxes that are not a header`);
    await file.read(header, 0, 16, at);
    const short = header.readUInt32BE(0);
    const headerBytes = short === 1 ? 16 : 8;
    const length = short === 1 ? Number(header.readBigUInt64BE(8)) : short === 0 ? end - at : short;
    if (length < headerBytes) return undefined;
    if (header.toString('latin1', 4, 8) === 'moov') {
      if (length > Math.min(LARGEST_HEADER_BYTES, end - at)) return undefined;
      const content = Buffer.alloc(length - headerBytes);
      await file.read(content, 0, content.length, at + headerBytes);
      return content;
    }
    at += length;
  }
  return undefined;
}

/** @returns when the one edit ends, in seconds; −∞ for lists that do more than cut off a beginning and an end. */
function editEnd(list: Buffer, movieTimescale: number): number {
  const long = list.readUInt8(0) === 1;
  const entries = list.readUInt32BE(4);
  let endTicks = 0;
  let edits = 0;
  for (let i = 0, at = 8; i < entries; i++, at += long ? 20 : 12) {
    const duration = long ? Number(list.readBigUInt64BE(at)) : list.readUInt32BE(at);
    const mediaTime = long ? Number(list.readBigInt64BE(at + 8)) : list.readInt32BE(at + 4);
    const rate = list.readInt32BE(at + (long ? 16 : 8));
    if (mediaTime !== -1 && (++edits > 1 || rate !== 0x10000)) return -Infinity;
    // An edit of no length, as fragmented files have it, lasts to the end.
    endTicks += mediaTime !== -1 && duration === 0 ? Infinity : duration;
  }
  return edits === 0 ? Infinity : endTicks / movieTimescale;
}

/**
 * When the edit list of the first video track ends, in seconds; ∞ without one. −∞ for a list that consists of several
 * pieces or changes the speed.
 */
export async function findEditEnd({ path, part }: VideoPlace): Promise<number> {
  const file = await open(part?.path ?? path, 'r');
  try {
    const begin = part?.begin ?? 0;
    const end = part === undefined ? (await file.stat()).size : begin + part.length;
    const movie = await readMovieBox(file, begin, end);
    if (movie === undefined) return Infinity;
    const header = findBox(movie, ['mvhd']);
    for (const track of boxesOf(movie)) {
      if (track.type !== 'trak') continue;
      const handler = findBox(track.content, ['mdia', 'hdlr']);
      if (handler?.toString('latin1', 8, 12) !== 'vide') continue;
      const list = findBox(track.content, ['edts', 'elst']);
      if (list === undefined || header === undefined) return Infinity;
      return editEnd(list, header.readUInt32BE(header.readUInt8(0) === 1 ? 20 : 12));
    }
    return Infinity;
  } finally {
    await file.close();
  }
}
