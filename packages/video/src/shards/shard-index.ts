/**
 * The index of a folder of shards, `index.jsonl`: a line with the settings, a line for each source in its order (the
 * clip that it became, or why it was left out), and a line that says that all is there.
 */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { VideoSourceError, type BadFile } from '../errors.js';
import { CROP_MODES, type CropMode } from '../pixels/crop.js';
import type { VideoEntry } from '../sources/video-entry.js';

export const INDEX_NAME = 'index.jsonl';

/** The name of the list of what was left out of shards, each path with its reason after a tab. */
export const REJECTS_NAME = 'rejects.tsv';
const FORMAT = 'tubelet shards 1';
const FIRST_LINE_BEGINNING = `{"format":"${FORMAT}"`;

/** What decides the bytes of shards. */
export interface ShardSettings {
  /** Names the list of sources. */
  sources: string;
  count: number;
  size: number;
  crop: string;
  keyFrameInterval: number;
  shardBytes: number;
  encoder: string;
}

/** A clip; `at` are the begins and lengths of its description and its video in the shard. */
export interface ClipLine {
  key: string;
  shard: number;
  at: [begin: number, length: number, begin: number, length: number];
  label?: string;
}
export interface RejectLine {
  rejected: string;
  reason: string;
}
export type SourceLine = ClipLine | RejectLine;
type IndexLine = SourceLine | { format: string; settings: ShardSettings } | { complete: true };

export const isClip = (line: SourceLine): line is ClipLine => 'key' in line;

/** The name of a shard: `shard-000123.tar`. */
export const shardName = (number: number) => `shard-${String(number).padStart(6, '0')}.tar`;

export function headerLine(settings: ShardSettings): string {
  return `${JSON.stringify({ format: FORMAT, settings })}\n`;
}
export const COMPLETE_LINE = `${JSON.stringify({ complete: true })}\n`;

/** Tar files are made of blocks. */
const BLOCK_BYTES = 512;

/** Where the files of a clip end in its shard. */
export function endOfClip({ at: [, , begin, length] }: ClipLine): number {
  return begin + Math.ceil(length / BLOCK_BYTES) * BLOCK_BYTES;
}

export interface ShardIndex {
  settings: ShardSettings;
  complete: boolean;
  /** Bytes of the lines that are whole. */
  lengthBytes: number;
}

const PIECE_BYTES = 2 ** 22;
/** In characters: a path, and what a decoder said. */
const LONGEST_LINE = 2 ** 20;

/** The whole lines of a file, with the byte at which each ends. */
function* wholeLines(file: string): Generator<{ text: string; end: number }> {
  if (!statSync(file).isFile())
    throw new VideoSourceError(`${file} is not a file: give the index of a folder of shards.`);
  const descriptor = openSync(file, 'r');
  try {
    const decoder = new StringDecoder('utf8');
    const piece = Buffer.alloc(PIECE_BYTES);
    let rest = '';
    let end = 0;
    for (let count: number; (count = readSync(descriptor, piece)) > 0;) {
      const text = rest + decoder.write(piece.subarray(0, count));
      let begin = 0;
      for (let at: number; (at = text.indexOf('\n', begin)) >= 0; begin = at + 1) {
        const line = text.slice(begin, at);
        end += Buffer.byteLength(line) + 1;
        yield { text: line, end };
      }
      rest = text.slice(begin);
      // Endless, which no line of an index is: for the caller to find damaged.
      if (rest.length > LONGEST_LINE) return yield { text: rest.slice(0, LONGEST_LINE), end };
    }
  } finally {
    closeSync(descriptor);
  }
}

/** What a line says; undefined where it is none of an index. */
function parseLine(text: string): IndexLine | undefined {
  let line: Partial<ClipLine & RejectLine & { complete: true; settings: ShardSettings | null }> | null;
  try {
    line = JSON.parse(text) as typeof line;
  } catch {
    return undefined;
  }
  if (typeof line !== 'object' || line === null) return undefined;
  const { key, shard, at, label, rejected, reason, settings } = line;
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  const fits =
    'key' in line
      ? typeof key === 'string' &&
        isCount(shard) &&
        (label === undefined || typeof label === 'string') &&
        Array.isArray(at) &&
        at.length === 4 &&
        at.every(isCount) &&
        at[0] + at[1] <= at[2]
      : 'rejected' in line
        ? typeof rejected === 'string' && typeof reason === 'string'
        : 'complete' in line || ('format' in line && typeof settings === 'object' && settings !== null);
  return fits ? (line as IndexLine) : undefined;
}

/**
 * Reads an index; a last line that was not written to its end is passed over.
 *
 * @param use told of each source in turn, and where its line ends.
 * @throws VideoSourceError for a file that is none, or is damaged.
 */
export function readIndex(file: string, use: (line: SourceLine, end: number) => void): ShardIndex {
  let settings: ShardSettings | undefined;
  let complete = false;
  let lengthBytes = 0;
  let last = { shard: -1, end: 0 };
  const damagedAfter = (byte: number) =>
    new VideoSourceError(
      `${file} is damaged after byte ${byte}: prepare the shards again in another folder.`,
    );
  for (const { text, end } of wholeLines(file)) {
    const line = parseLine(text);
    if (line === undefined) throw damagedAfter(lengthBytes);
    if (settings === undefined) {
      if (!('format' in line) || line.format !== FORMAT) break;
      settings = line.settings;
    } else if ('complete' in line) complete = true;
    else {
      const source = line as SourceLine;
      if (isClip(source)) {
        // Shards follow one another, and so do the clips in one.
        const begin = source.shard === last.shard ? last.end : source.shard === last.shard + 1 ? 0 : Infinity;
        if (source.at[0] < begin) throw damagedAfter(lengthBytes);
        last = { shard: source.shard, end: endOfClip(source) };
      }
      use(source, end);
    }
    lengthBytes = end;
  }
  if (settings === undefined) {
    throw new VideoSourceError(
      `${file} is not an index of shards: its first line does not say “${FORMAT}”. Give a folder that \`tubelet prepare\` has made.`,
    );
  }
  return { settings, complete, lengthBytes };
}

/** The index that a source names: itself, or the one in a folder; undefined where there is none. */
export function findIndex(path: string): string | undefined {
  if (basename(path) === INDEX_NAME) return path;
  const file = join(path, INDEX_NAME);
  if (!existsSync(file) || !statSync(file).isFile()) return undefined;
  const descriptor = openSync(file, 'r');
  try {
    // A file of this name may be there for other reasons.
    const beginning = Buffer.alloc(FIRST_LINE_BEGINNING.length);
    readSync(descriptor, beginning);
    return beginning.toString() === FIRST_LINE_BEGINNING ? file : undefined;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * The clips of all shards of an index, in their order, and how they were cut; undefined where the index names no crop
 * that there is.
 *
 * @throws VideoSourceError when the index is not complete, or a shard is missing or cut short.
 */
export function listShards(file: string): {
  entries: VideoEntry[];
  rejected: BadFile[];
  crop: CropMode | 'face' | undefined;
} {
  const folder = dirname(file);
  const entries: VideoEntry[] = [];
  const rejected: BadFile[] = [];
  const shards: { path: string; end: number }[] = [];
  const { complete, settings } = readIndex(file, (line) => {
    if (!isClip(line)) {
      rejected.push({ path: line.rejected, reason: line.reason });
      return;
    }
    const [descriptionBegin, descriptionLength, begin, length] = line.at;
    const shard = (shards[line.shard] ??= { path: join(folder, shardName(line.shard)), end: 0 });
    shard.end = endOfClip(line);
    entries.push({
      path: `${shard.path}/${line.key}.mp4`,
      label: line.label,
      member: {
        shard: shard.path,
        description: { begin: descriptionBegin, length: descriptionLength },
        video: { begin, length },
      },
    });
  });
  if (!complete) {
    throw new VideoSourceError(`${file} is not complete: run \`tubelet prepare\` again with --resume.`);
  }
  for (const { path, end } of shards) {
    const lengthBytes = statSync(path, { throwIfNoEntry: false })?.size;
    if (lengthBytes === undefined || lengthBytes < end) {
      const what = lengthBytes === undefined ? 'is missing' : `has ${lengthBytes} bytes of ${end}`;
      throw new VideoSourceError(`${path} ${what}: copy it anew, or prepare the shards again.`);
    }
  }
  const crop = ([...CROP_MODES, 'face'] as const).find((mode) => mode === settings.crop);
  return { entries, rejected, crop };
}
