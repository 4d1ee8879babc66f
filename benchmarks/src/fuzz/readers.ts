/** Every reader of what others have written. */
import { join } from 'node:path';
import type { Reader } from './reader';
import { dataSetReaders } from './readers/data-sets';
import { runReaders } from './readers/runs';
import { videoReaders } from './readers/videos';
import { weightReaders } from './readers/weights';

/**
 * @param folder of the files that they read
 * @param decoderScript of the process that decodes videos
 */
export async function allReaders(folder: string, decoderScript: string): Promise<Reader[]> {
  return [
    ...weightReaders(folder),
    ...dataSetReaders(folder),
    ...(await videoReaders(join(folder, 'videos'), decoderScript)),
    ...runReaders(folder),
  ];
}
