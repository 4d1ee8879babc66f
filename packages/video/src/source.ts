/** Which videos a data set holds: folders, globs and list files. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import { NoReadableVideoError, VideoSourceError, type BadFile } from './errors';
import { isFrameName } from './frame-folder';

/** A stretch of a video, from `startSeconds` (0 by default) up to `endSeconds` (its end by default), excluded. */
export interface TimeRange {
  startSeconds?: number;
  endSeconds?: number;
}

/** A video file or a folder of frames. */
export interface VideoEntry {
  /** Absolute. */
  path: string;
  /** As the list file gives it. */
  label?: string;
  /** The part to use; all of it by default. */
  timeRange?: TimeRange;
}

export interface VideoListing {
  /** In order of their paths, or of the list file. */
  entries: VideoEntry[];
  /** What was named or found and is not used, with the reason. */
  skipped: BadFile[];
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

function listFolder(folder: string, listing: VideoListing): void {
  let holdsFrames = false;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.')) continue;
    const stats = entry.isSymbolicLink() ? statSync(path, { throwIfNoEntry: false }) : entry;
    if (stats === undefined) listing.skipped.push({ path, reason: 'a link to nothing' });
    else if (stats.isDirectory()) listFolder(path, listing);
    else if (isVideoName(entry.name)) listing.entries.push({ path });
    else if (isFrameName(entry.name)) holdsFrames = true;
    else listing.skipped.push({ path, reason: 'neither a video nor a frame, by its name' });
  }
  if (holdsFrames) listing.entries.push({ path: folder });
}

function readListFile(file: string, listing: VideoListing): void {
  const lines = readFileSync(file, 'utf8').split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    const text = line.trim();
    if (text === '') continue;
    // A path may hold spaces: the label is what follows the last one, unless the whole line is a path.
    const whole = resolve(dirname(file), text);
    const split = /^(.*\S)\s+(\S+)$/.exec(text);
    if (split === null || existsSync(whole)) {
      addNamed(whole, undefined, `line ${index + 1} of ${file}`, listing);
    } else {
      addNamed(resolve(dirname(file), split[1] as string), split[2], `line ${index + 1} of ${file}`, listing);
    }
  }
}

function addNamed(path: string, label: string | undefined, where: string, listing: VideoListing): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) listing.skipped.push({ path, reason: `missing (${where})` });
  else listing.entries.push(label === undefined ? { path } : { path, label });
}

async function listOne(source: string, listing: VideoListing): Promise<void> {
  const path = resolve(source);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory()) {
    const found: VideoListing = { entries: [], skipped: [] };
    listFolder(path, found);
    listing.entries.push(...found.entries.sort(byCharacters));
    listing.skipped.push(...found.skipped);
  } else if (stats !== undefined && LIST_EXTENSIONS.has(extname(path).toLowerCase())) {
    readListFile(path, listing);
  } else if (stats !== undefined) {
    listing.entries.push({ path });
  } else if (isDynamicPattern(source)) {
    const matches = await glob(source, { absolute: true, onlyFiles: false, expandDirectories: false });
    if (matches.length === 0) throw new VideoSourceError(`${source}: the pattern matches nothing.`);
    const found: VideoListing = { entries: [], skipped: [] };
    for (const match of matches) {
      const file = resolve(match);
      if (statSync(file).isDirectory()) {
        if (readdirSync(file).some(isFrameName)) found.entries.push({ path: file });
      } else if (isVideoName(file)) found.entries.push({ path: file });
      else found.skipped.push({ path: file, reason: 'not a video, by its name' });
    }
    listing.entries.push(...found.entries.sort(byCharacters));
    listing.skipped.push(...found.skipped);
  } else {
    throw new VideoSourceError(
      `${source}: there is no such file or folder. Give a folder, a glob pattern, a list file (.csv or .txt with a ` +
        'line `path label` for each video) or a video.',
    );
  }
}

/**
 * Lists videos. Each source is
 * - a folder: every video below it, and every folder below it (itself included) that holds jpg or png frames;
 * - a glob pattern;
 * - a list file (`.csv`, `.txt`, `.lst`): one `path label` a line, the label optional, paths relative to the file;
 * - a single video.
 *
 * @throws VideoSourceError when a source does not exist; NoReadableVideoError when nothing is found in any.
 */
export async function listVideos(sources: string | readonly string[]): Promise<VideoListing> {
  const listing: VideoListing = { entries: [], skipped: [] };
  const all = typeof sources === 'string' ? [sources] : sources;
  for (const source of all) await listOne(source, listing);
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
  return listing;
}
