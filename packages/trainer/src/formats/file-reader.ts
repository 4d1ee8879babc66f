import type { FileHandle } from 'node:fs/promises';
import { SafetensorsError, type ByteReader } from '@tubelet/autograd/formats';

/** Files are read and written in parts so that steps, signals and progress are served in between. */
export const PART_BYTES = 1 << 22;

/** Reads ranges of an open file, in calls that the system accepts whatever the range's length. */
export async function fileReader(file: FileHandle): Promise<ByteReader> {
  const { size } = await file.stat();
  return {
    lengthBytes: size,
    async read(offsetBytes, lengthBytes) {
      const bytes = new Uint8Array(lengthBytes);
      let done = 0;
      while (done < lengthBytes) {
        const length = Math.min(PART_BYTES, lengthBytes - done);
        const { bytesRead } = await file.read(bytes, done, length, offsetBytes + done);
        if (bytesRead === 0) throw new SafetensorsError(null, `the file ends at byte ${offsetBytes + done}`);
        done += bytesRead;
      }
      return bytes;
    },
  };
}
