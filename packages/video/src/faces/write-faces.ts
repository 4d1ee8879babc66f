import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DecoderPool } from '../loader/pool.js';
import type { VideoInfo } from '../decode/video-info.js';
import { cutFaces, imageToJpg } from './find-people.js';
import type { FaceTrack } from './track.js';

/**
 * Writes the aligned faces of people as folders of jpg, 00001.jpg onwards. A folder appears whole or not at all, and
 * replaces what was there.
 *
 * @param folders one for each track
 * @throws VideoDecodeError
 */
export async function writeFaces(
  pool: DecoderPool,
  info: VideoInfo,
  tracks: readonly FaceTrack[],
  folders: readonly string[],
  size: number,
): Promise<void> {
  const staged = folders.map((folder) => join(dirname(folder), `.${basename(folder)}.partial`));
  for (const folder of staged) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }
  try {
    const counts = folders.map(() => 0);
    for await (const { person, pixels } of cutFaces(pool, info, tracks, size)) {
      const name = `${String(++counts[person]!).padStart(5, '0')}.jpg`;
      writeFileSync(join(staged[person]!, name), await imageToJpg({ pixels, width: size, height: size }));
    }
    for (const [i, folder] of folders.entries()) {
      rmSync(folder, { recursive: true, force: true });
      renameSync(staged[i]!, folder);
    }
  } finally {
    for (const folder of staged) rmSync(folder, { recursive: true, force: true });
  }
}
