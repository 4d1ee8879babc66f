/** Which videos a data set holds: folders, globs and list files. */
import { existsSync, readdirSync, readFileSync, statSync, type Dirent, type Stats } from 'node:fs';
import { basename, dirname, extname, resolve, sep } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import { isOutOfReach, NoReadableVideoError, VideoSourceError, type BadFile } from '../errors.js';
import { requireFile } from '../datasets/files.js';
import { isFrameName } from '../decode/frame-folder.js';
import type { CropMode } from '../pixels/crop.js';
import { findIndex, listShards } from '../shards/shard-index.js';
import type { VideoEntry } from './video-entry.js';

/** What was found in a place that was given for videos. */
export interface VideoListing {
  /** In order of their paths, or of the list file. */
  entries: VideoEntry[];
  /** What was named or found and is not used, with the reason. */
  skipped: BadFile[];
  /** How `tubelet prepare` has cut the clips, where all are of shards that were cut alike. */
  shardCrop?: CropMode | 'face';
}

const VIDEO_EXTENSIONS = new Set(
  '.3gp .asf .avi .flv .gif .h264 .hevc .m2ts .m4v .mjpeg .mjpg .mkv .mov .mp4 .mpeg .mpg .mts .mxf .ogv .ts .vob .webm .wmv .y4m'.split(
    ' ',
  ),
);
const LIST_EXTENSIONS = new Set(['.csv', '.txt', '.lst']);

/** Whether a file name is that of a video. */
export const isVideoName = (path: string) => VIDEO_EXTENSIONS.has(extname(path).toLowerCase());
const byCharacters = (a: VideoEntry, b: VideoEntry) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);

/** What a folder holds; nothing, and the folder is left out, where it may not be read or is gone. */
function readFolder(folder: string, listing: VideoListing): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (!isOutOfReach(error)) throw error;
    listing.skipped.push({ path: folder, reason: error.message });
    return [];
  }
}

/** What a link leads to; undefined, and the link is left out, where that is nothing, or may not be looked at. */
function followLink(path: string, listing: VideoListing): Stats | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) listing.skipped.push({ path, reason: 'a link to nothing' });
    return stats;
  } catch (error) {
    if (!isOutOfReach(error)) throw error;
    // What lies in the circle may have been listed many times by now, until links or letters in a path were too many.
    if (error.code === 'ELOOP' || error.code === 'ENAMETOOLONG')
      throw new VideoSourceError(`${path}: links lead in a circle. Remove one of them.`);
    listing.skipped.push({ path, reason: error.message });
    return undefined;
  }
}

function listFolder(folder: string, listing: VideoListing): void {
  let holdsFrames = false;
  for (const entry of readFolder(folder, listing)) {
    if (entry.name.startsWith('.')) continue;
    // `join` would take seconds for a million names.
    const path = folder.endsWith(sep) ? folder + entry.name : folder + sep + entry.name;
    const stats = entry.isSymbolicLink() ? followLink(path, listing) : entry;
    if (stats === undefined) continue;
    if (stats.isDirectory()) listFolder(path, listing);
    else if (isVideoName(entry.name)) listing.entries.push({ path });
    else if (isFrameName(entry.name)) holdsFrames = true;
    else listing.skipped.push({ path, reason: 'neither a video nor a frame, by its name' });
  }
  if (holdsFrames) listing.entries.push({ path: folder });
}

/** Tells which paths there are by reading each folder once: asking for a million paths one by one takes long. */
class KnownPaths {
  private readonly namesByFolder = new Map<string, Set<string>>();

  /** False also for a path in other letters than its folder lists it, as some systems allow. */
  isListed(path: string): boolean {
    const folder = dirname(path);
    let names = this.namesByFolder.get(folder);
    if (names === undefined) {
      try {
        names = new Set(readdirSync(folder));
      } catch {
        names = new Set();
      }
      this.namesByFolder.set(folder, names);
    }
    return names.has(basename(path));
  }
}

/** The other reading of a line. Resolving it anew takes seconds for a million lines, and is needed rarely. */
function withoutLabel(folder: string, wholePath: string, text: string, split: RegExpExecArray): VideoEntry {
  const [, name, label] = split as unknown as [string, string, string];
  const path = /[/\\]|^\.+$/.test(label)
    ? resolve(folder, name)
    : wholePath.slice(0, wholePath.length - (text.length - name.length));
  return { path, label };
}

function readListFile(file: string, listing: VideoListing): void {
  const known = new KnownPaths();
  const folder = dirname(file);
  let text: string;
  try {
    requireFile(file);
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new VideoSourceError(
      `${file}: the list cannot be read (${(error as Error).message}). Give a text file.`,
      { cause: error },
    );
  }
  const lines = text.split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    const text = line.trim();
    if (text === '') continue;
    // A path may hold spaces: the label is what follows the last one, unless the whole line is a path.
    const whole: VideoEntry = { path: resolve(folder, text) };
    const split = /^(.*\S)\s+(\S+)$/.exec(text);
    const labelled = split === null ? undefined : withoutLabel(folder, whole.path, text, split);
    const candidates = labelled === undefined ? [whole] : [whole, labelled];
    const entry =
      candidates.find(({ path }) => known.isListed(path)) ?? candidates.find(({ path }) => existsSync(path));
    if (entry !== undefined) listing.entries.push(entry);
    else {
      const { path } = labelled ?? whole;
      listing.skipped.push({ path, reason: `missing (line ${index + 1} of ${file})` });
    }
  }
}

/** Puts what was found behind what there is, in order. Spreading a million arguments would overflow the stack. */
function append(listing: VideoListing, found: VideoListing): void {
  for (const entry of found.entries.sort(byCharacters)) listing.entries.push(entry);
  for (const file of found.skipped) listing.skipped.push(file);
}

/** Adds the videos of a source; for shards it gives their crop. */
async function listOne(source: string, listing: VideoListing): Promise<VideoListing['shardCrop']> {
  const path = resolve(source);
  const stats = statSync(path, { throwIfNoEntry: false });
  const index = findIndex(path);
  if (index !== undefined) {
    const { entries, crop } = listShards(index);
    for (const entry of entries) listing.entries.push(entry);
    return crop;
  } else if (stats?.isDirectory()) {
    const found: VideoListing = { entries: [], skipped: [] };
    listFolder(path, found);
    append(listing, found);
  } else if (stats !== undefined && LIST_EXTENSIONS.has(extname(path).toLowerCase())) {
    readListFile(path, listing);
  } else if (stats !== undefined) {
    listing.entries.push({ path });
  } else if (isDynamicPattern(source)) {
    // Folders among the matches end in a slash.
    const matches = await glob(source, { absolute: true, onlyFiles: false, expandDirectories: false });
    if (matches.length === 0) throw new VideoSourceError(`${source}: the pattern matches nothing.`);
    const found: VideoListing = { entries: [], skipped: [] };
    for (const match of matches) {
      if (match.endsWith('/')) {
        const folder = resolve(match);
        if (readFolder(folder, found).some(({ name }) => isFrameName(name)))
          found.entries.push({ path: folder });
        continue;
      }
      const file = sep === '/' ? match : resolve(match);
      if (isVideoName(file)) found.entries.push({ path: file });
      else found.skipped.push({ path: file, reason: 'not a video, by its name' });
    }
    append(listing, found);
  } else {
    throw new VideoSourceError(
      `${source}: there is no such file or folder. Give a folder, a glob pattern, a list file (.csv or .txt with a ` +
        'line `path label` for each video) or a video.',
    );
  }
  return undefined;
}

/**
 * Lists videos. Each source is
 * - a folder: every video below it, and every folder below it (itself included) that holds jpg or png frames;
 * - a folder of shards, or the `index.jsonl` in it;
 * - a glob pattern;
 * - a list file (`.csv`, `.txt`, `.lst`): one `path label` a line, the label optional, paths relative to the file;
 * - a single video.
 *
 * Folders that cannot be read are left out.
 *
 * @throws VideoSourceError when a source does not exist, or links in it lead in a circle; NoReadableVideoError when
 *   nothing is found in any.
 */
export async function listVideos(sources: string | readonly string[]): Promise<VideoListing> {
  const listing: VideoListing = { entries: [], skipped: [] };
  const all = typeof sources === 'string' ? [sources] : sources;
  const crops = new Set<VideoListing['shardCrop']>();
  for (const source of all) crops.add(await listOne(source, listing));
  if (listing.entries.length === 0) {
    const first = listing.skipped[0];
    const example = first === undefined ? '' : `, for instance ${first.path}: ${first.reason}`;
    throw new NoReadableVideoError(
      `${all.join(', ') || 'An empty list of sources'} holds no videos` +
        (listing.skipped.length > 0 ? ` (${listing.skipped.length} left out${example})` : '') +
        '. Give a folder, glob or list with video files or folders of frames.',
      listing.skipped,
    );
  }
  if (crops.size === 1) [listing.shardCrop] = crops;
  return listing;
}
