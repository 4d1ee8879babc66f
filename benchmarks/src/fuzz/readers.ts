/** Every reader of what others have written. */
import { join } from 'node:path';
import type { Reader } from './reader.js';
import { dataSetReaders } from './readers/data-sets.js';
import { runReaders } from './readers/runs.js';
import { videoReaders } from './readers/videos.js';
import { weightReaders } from './readers/weights.js';

/** @param folder of the files that they read */
export async function allReaders(folder: string): Promise<Reader[]> {
  return [
    ...weightReaders(folder),
    ...dataSetReaders(folder),
    ...(await videoReaders(join(folder, 'videos'))),
    ...runReaders(folder),
  ];
}
