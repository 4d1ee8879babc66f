/** Tells clips with the same content by a few of their bytes. */
import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';

/** Of a video file, so much is read at each of three places. */
const SAMPLE_BYTES = 1 << 16;

/** Names the content of a folder of frames: their number, and the bytes of the first, the middle and the last. */
export async function frameFolderFingerprint(frames: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(`${frames.length} frames\n`);
  const sampled = new Set([0, frames.length >> 1, frames.length - 1]);
  for (const index of sampled) hash.update(await readFile(frames[index]!));
  return hash.digest('hex');
}

/** Names the content of a file: its length, and bytes at its beginning, in its middle and at its end. */
export async function fileFingerprint(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const hash = createHash('sha256').update(`${size} bytes\n`);
    const latest = Math.max(0, size - SAMPLE_BYTES);
    for (const position of new Set([0, Math.floor(latest / 2), latest])) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(SAMPLE_BYTES), 0, SAMPLE_BYTES, position);
      hash.update(buffer.subarray(0, bytesRead));
    }
    return hash.digest('hex');
  } finally {
    await file.close();
  }
}
