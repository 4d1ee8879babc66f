/** Writes shards and their index, so that a killed program goes on where it was and makes the same bytes. */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { packTar } from 'modern-tar';
import { isOfSystem, ShardFolderError, type BadFile } from '../errors.js';
import type { EncodedClip } from './encode-clip.js';
import type { ClipDescription } from './member.js';
import {
  COMPLETE_LINE,
  endOfClip,
  headerLine,
  INDEX_NAME,
  isClip,
  readIndex,
  REJECTS_NAME,
  shardName,
  type ShardSettings,
  type SourceLine,
} from './shard-index.js';

export interface ShardProgress {
  /** Sources that are done. */
  sources: number;
  clips: number;
  rejected: BadFile[];
  shards: number;
  /** Bytes of all shards. */
  lengthBytes: number;
}

/** A file is a header of one block and its contents in whole blocks; a tar file ends with two empty ones. */
const BLOCK_BYTES = 512;
const END_BYTES = 2 * BLOCK_BYTES;

/** The bytes of two files in a tar file, and where their contents begin. */
async function packPair(key: string, description: Buffer, mp4: Uint8Array) {
  const file = (extension: string, body: Uint8Array) => ({
    header: { name: `${key}.${extension}`, size: body.length, mtime: new Date(0) },
    body,
  });
  const packed = Buffer.from(await packTar([file('json', description), file('mp4', mp4)]));
  const pair = packed.subarray(0, packed.length - END_BYTES);
  const videoBegin = pair.length - Math.ceil(mp4.length / BLOCK_BYTES) * BLOCK_BYTES;
  const found = (begin: number, body: Uint8Array) =>
    packed
      .subarray(begin, begin + body.length)
      .equals(Buffer.from(body.buffer, body.byteOffset, body.length));
  if (!found(BLOCK_BYTES, description) || !found(videoBegin, mp4)) {
    throw new Error(`the files of ${key} do not lie where they should in the tar file`);
  }
  return { pair, descriptionBegin: BLOCK_BYTES, videoBegin };
}

/**
 * What `work` does in a folder of shards.
 *
 * @throws ShardFolderError where the system refuses it, as on a full disk; what else `work` throws, as it is
 */
async function inFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isOfSystem(error)) throw error;
    const again = existsSync(join(folder, INDEX_NAME)) ? 'go on with --resume' : 'begin again';
    throw new ShardFolderError(
      `${folder} cannot be used: ${error.message}. Make room there, or let it be read and written; then ${again}.`,
      { cause: error },
    );
  }
}

export class ShardWriter {
  private shard: { file: FileHandle; number: number; lengthBytes: number } | undefined;

  private constructor(
    private readonly folder: string,
    private readonly settings: ShardSettings,
    private readonly index: FileHandle,
    readonly progress: ShardProgress,
  ) {}

  /**
   * Begins in an empty folder, which is made, or goes on in one that was begun with the same settings.
   *
   * @throws ShardFolderError where the folder holds something else, or other settings, or cannot be written.
   */
  static open(folder: string, settings: ShardSettings, resume: boolean): Promise<ShardWriter> {
    return inFolder(folder, () => ShardWriter.openFolder(folder, settings, resume));
  }

  private static async openFolder(
    folder: string,
    settings: ShardSettings,
    resume: boolean,
  ): Promise<ShardWriter> {
    const indexPath = join(folder, INDEX_NAME);
    if (!resume) {
      if (existsSync(folder) && readdirSync(folder).length > 0) {
        throw new ShardFolderError(
          `${folder} is not empty: choose another --out, or go on with --resume where shards were begun there.`,
        );
      }
      mkdirSync(folder, { recursive: true });
      try {
        writeFileSync(indexPath, headerLine(settings));
      } catch (error) {
        // Nothing could go on from a part of it, and nothing be begun beside it.
        rmSync(indexPath, { force: true });
        throw error;
      }
    } else if (!existsSync(indexPath)) {
      throw new ShardFolderError(
        `${folder} holds no ${INDEX_NAME}: nothing was begun there. Leave out --resume.`,
      );
    }
    const progress = resume
      ? reread(folder, indexPath, settings)
      : { sources: 0, clips: 0, rejected: [], shards: 0, lengthBytes: 0 };
    const writer = new ShardWriter(folder, settings, await open(indexPath, 'a'), progress);
    if (progress.shards > 0) await writer.openShard(progress.shards - 1);
    return writer;
  }

  /**
   * Adds the clip of the next source.
   *
   * @throws ShardFolderError where it cannot be written.
   */
  add(key: string, source: string, label: string | undefined, clip: EncodedClip): Promise<void> {
    return inFolder(this.folder, () => this.addClip(key, source, label, clip));
  }

  private async addClip(
    key: string,
    source: string,
    label: string | undefined,
    clip: EncodedClip,
  ): Promise<void> {
    const { frames, framesPerSecond, header, mp4 } = clip;
    const description: ClipDescription = { source, label, frames, framesPerSecond, header };
    const text = Buffer.from(JSON.stringify(description));
    const { pair, descriptionBegin, videoBegin } = await packPair(key, text, mp4);
    const { shardBytes } = this.settings;
    if (this.shard !== undefined && this.shard.lengthBytes + pair.length + END_BYTES > shardBytes) {
      await this.closeShard();
    }
    const shard = this.shard ?? (await this.openShard(this.progress.shards));
    const begin = shard.lengthBytes;
    await shard.file.appendFile(pair);
    shard.lengthBytes += pair.length;
    this.progress.lengthBytes += pair.length;
    this.progress.clips++;
    await this.addLine({
      key,
      shard: shard.number,
      at: [begin + descriptionBegin, text.length, begin + videoBegin, mp4.length],
      label,
    });
  }

  /**
   * Leaves the next source out.
   *
   * @throws ShardFolderError where that cannot be written down.
   */
  reject(file: BadFile): Promise<void> {
    this.progress.rejected.push(file);
    return inFolder(this.folder, () => this.addLine({ rejected: file.path, reason: file.reason }));
  }

  /**
   * Ends the last shard, names all that was left out, and ends the index: a complete index lacks nothing beside it.
   *
   * @param skipped files that never were sources.
   * @throws ShardFolderError where they cannot be written.
   */
  finish(skipped: readonly BadFile[]): Promise<void> {
    const lines = [...skipped, ...this.progress.rejected].map(({ path, reason }) => `${path}\t${reason}\n`);
    return inFolder(this.folder, async () => {
      await this.closeShard();
      writeFileSync(join(this.folder, REJECTS_NAME), lines.join(''));
      await this.index.appendFile(COMPLETE_LINE);
      await this.index.sync();
    });
  }

  /** Lets go of the files; what is there can be gone on with. */
  async close(): Promise<void> {
    await this.shard?.file.close();
    this.shard = undefined;
    await this.index.close();
  }

  private async addLine(line: SourceLine): Promise<void> {
    this.progress.sources++;
    await this.index.appendFile(`${JSON.stringify(line)}\n`);
  }

  private async openShard(number: number) {
    const path = join(this.folder, shardName(number));
    const file = await open(path, 'a');
    this.shard = { file, number, lengthBytes: (await file.stat()).size };
    this.progress.shards = number + 1;
    return this.shard;
  }

  private async closeShard(): Promise<void> {
    if (this.shard === undefined) return;
    const { file } = this.shard;
    await file.appendFile(Buffer.alloc(END_BYTES));
    await file.sync();
    await file.close();
    this.shard = undefined;
  }
}

/** What a killed program has left, cut back to the last clip that is whole in both its shard and the index. */
function reread(folder: string, indexPath: string, settings: ShardSettings): ShardProgress {
  const lines: { line: SourceLine; end: number }[] = [];
  const index = readIndex(indexPath, (line, end) => lines.push({ line, end }));
  for (const name of Object.keys(settings) as (keyof ShardSettings)[]) {
    if (index.settings[name] !== settings[name]) {
      throw new ShardFolderError(
        `${folder} was begun with ${name} ${JSON.stringify(index.settings[name])} and not ` +
          `${JSON.stringify(settings[name])}: go on with the same options, or choose another --out.`,
      );
    }
  }
  if (index.complete) throw new ShardFolderError(`${folder} is complete: there is nothing to go on with.`);
  const lengths = new Map<number, number>();
  const lengthOf = (number: number) => {
    const known = lengths.get(number);
    if (known !== undefined) return known;
    const length = statSync(join(folder, shardName(number)), { throwIfNoEntry: false })?.size ?? 0;
    lengths.set(number, length);
    return length;
  };
  const whole = lines.findIndex(({ line }) => isClip(line) && endOfClip(line) > lengthOf(line.shard));
  // A shard is on the disk before the next is begun: only in the last one can a death have left less than the index says.
  const broken = lines[whole]?.line;
  const latest = lines.findLast(({ line }) => isClip(line))?.line;
  if (broken && isClip(broken) && latest && isClip(latest) && broken.shard < latest.shard) {
    throw new ShardFolderError(
      `${join(folder, shardName(broken.shard))} is missing or cut short: put it back, then go on with --resume, or ` +
        'choose another --out.',
    );
  }
  if (whole >= 0) lines.length = whole;
  const headerBytes = Buffer.byteLength(headerLine(settings));
  truncateSync(indexPath, lines.at(-1)?.end ?? headerBytes);

  const progress: ShardProgress = {
    sources: lines.length,
    clips: 0,
    rejected: [],
    shards: 0,
    lengthBytes: 0,
  };
  const ends: number[] = [];
  for (const { line } of lines) {
    if (!isClip(line)) {
      progress.rejected.push({ path: line.rejected, reason: line.reason });
      continue;
    }
    progress.clips++;
    ends[line.shard] = endOfClip(line);
  }
  progress.shards = ends.length;
  progress.lengthBytes = ends.reduce((sum, end) => sum + end, 0);
  const last = ends.length - 1;
  if (last >= 0) truncateSync(join(folder, shardName(last)), ends[last]);
  // A shard that had just been begun.
  for (const name of readdirSync(folder)) {
    if (/^shard-\d{6}\.tar$/.test(name) && name > shardName(last)) rmSync(join(folder, name));
  }
  return progress;
}
