import { createHash } from 'node:crypto';
import { dirname, relative, sep } from 'node:path';
import type { VideoEntry } from '@tubelet/video';
import type { TrainOptions } from './train-options.js';

/** The videos, each cut to the stretch of time that the options ask for. */
export function withinTime(
  entries: readonly VideoEntry[],
  { startSeconds, endSeconds }: TrainOptions,
): readonly VideoEntry[] {
  if (startSeconds === undefined && endSeconds === undefined) return entries;
  return entries.map((entry) => ({ ...entry, timeRange: { startSeconds, endSeconds } }));
}

/**
 * Names a list of videos, such as `3 videos, 9f86d081884c7d65`: the same wherever their folder lies, another one
 * as soon as a video is added, removed or renamed.
 */
export function videosFingerprint(entries: readonly VideoEntry[]): string {
  const hash = createHash('sha256');
  const [first] = entries;
  const folder = dirname(first?.member?.shard ?? first?.path ?? '');
  const inFolder = folder + sep;
  for (const { path } of entries) {
    // `relative` would take seconds for a million paths.
    const name = path.startsWith(inFolder) ? path.slice(inFolder.length) : relative(folder, path);
    hash.update(`${name}\n`);
  }
  return `${entries.length} videos, ${hash.digest('hex').slice(0, 16)}`;
}
