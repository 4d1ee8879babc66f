/** Tells whole image files from cut ones without decoding them: data sets have a million frames. */
import { open } from 'node:fs/promises';

const JPEG_BEGINS = Buffer.from([0xff, 0xd8, 0xff]);
const JPEG_ENDS = Buffer.from([0xff, 0xd9]);
const PNG_BEGINS = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const PNG_ENDS = Buffer.from('IEND');

/** Some programs write a few bytes behind the end of an image. */
const TAIL_BYTES = 64;

/**
 * Whether a file begins and ends like a jpg or png, whatever its name. One that does not need not be broken: only
 * decoding it tells.
 */
export async function looksWhole(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const head = await readAt(0, PNG_BEGINS.length);
    const tail = await readAt(Math.max(0, size - TAIL_BYTES), TAIL_BYTES);
    const isOf = (begin: Buffer, end: Buffer) =>
      head.subarray(0, begin.length).equals(begin) && tail.includes(end);
    return isOf(JPEG_BEGINS, JPEG_ENDS) || isOf(PNG_BEGINS, PNG_ENDS);
  } finally {
    await file.close();
  }

  async function readAt(position: number, length: number): Promise<Buffer> {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
    return buffer.subarray(0, bytesRead);
  }
}
