/** Finds clips on the disk that a data set does not list. */
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, parse, relative, sep } from 'node:path';
import { isFrameName } from '../../decode/frame-folder.js';
import { isVideoName } from '../../sources/source.js';

/** The folder that holds all of `paths`, none of them itself. */
export function commonFolder(paths: readonly string[]): string {
  let common = dirname(paths[0] ?? sep);
  for (const path of paths) {
    while (!isWithin(path, common) && common !== parse(common).root) common = dirname(common);
  }
  return common;
}

/** Whether a path lies in a folder or is it. */
export function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && way !== path);
}

/** A folder that could not be read. */
export interface UnreadFolder {
  readonly path: string;
  readonly message: string;
}

/**
 * Folders of frames and video files below a folder, without those that are known. What begins with a dot is passed
 * over, and a folder that links lead to more than once is read once.
 *
 * @param known absolute paths of clips and of folders that need not be searched
 * @param unread told of folders that cannot be read
 */
export function unlistedClips(
  folder: string,
  known: ReadonlySet<string>,
  unread: (folder: UnreadFolder) => void,
): AsyncGenerator<string, void> {
  const linked = new Set<string>();
  return search(folder);

  async function* search(path: string): AsyncGenerator<string, void> {
    let entries: Dirent[];
    try {
      entries = await readdir(path, { withFileTypes: true });
    } catch (error) {
      unread({ path, message: (error as Error).message });
      return;
    }
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    let holdsFrames = false;
    for (const entry of entries) {
      const inside = join(path, entry.name);
      if (entry.name.startsWith('.') || known.has(inside)) continue;
      if (entry.isDirectory()) yield* search(inside);
      else if (isFrameName(entry.name)) holdsFrames = true;
      else if (isVideoName(entry.name)) yield inside;
      else if (entry.isSymbolicLink() && (await leadsToNewFolder(inside))) yield* search(inside);
    }
    if (holdsFrames) yield path;
  }

  async function leadsToNewFolder(link: string): Promise<boolean> {
    const entry = await stat(link).catch(() => undefined);
    if (!entry?.isDirectory()) return false;
    const target = await realpath(link);
    if (linked.has(target)) return false;
    linked.add(target);
    return true;
  }
}
