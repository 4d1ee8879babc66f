/** Every reader of what others have written. */
import { join } from 'node:path';
import type { Reader } from './reader';
import { dataSetReaders } from './readers/data-sets';
import { runReaders } from './readers/runs';
import { videoReaders } from './readers/videos';
import { weightReaders } from './readers/weights';

/** @param folder of the files that they read */
export async function allReaders(folder: string): Promise<Reader[]> {
  return [
    ...weightReaders(folder),
    ...dataSetReaders(folder),
    ...(await videoReaders(join(folder, 'videos'))),
    ...runReaders(folder),
  ];
}
