/** Pictures as PNG files, with captions. */
import { writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { escapeMarkup, svgToPng } from '@tubelet/trainer';
import { FileWriteError } from '@tubelet/trainer/formats';
import type { Picture, RowPicture } from './picture.js';

/** The rows of one video, and the words for them. */
export interface CaptionedRows {
  /** Above the rows. */
  readonly title: string;
  readonly picture: RowPicture;
  /** Beside each row. */
  readonly captions: readonly string[];
}

const TITLE_HEIGHT_PX = 26;
const CAPTION_WIDTH_PX = 118;
const GAP_PX = 16;

/** A picture as the bytes of a PNG file. */
export function encodePng({ data, width, height }: Picture): Promise<Buffer> {
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 9 })
    .toBuffer();
}

/** Rows of several videos below each other as a PNG, with or without the words. */
export async function encodeRows(parts: readonly CaptionedRows[], { captions }: { captions: boolean }) {
  const left = captions ? CAPTION_WIDTH_PX : 0;
  const titleHeight = captions ? TITLE_HEIGHT_PX : 0;
  let bottom = 0;
  const placed = parts.map((part, i) => {
    const top = bottom + (i > 0 ? GAP_PX : 0) + titleHeight;
    bottom = top + part.picture.height;
    return { ...part, top };
  });
  const width = left + Math.max(...parts.map(({ picture }) => picture.width));
  const texts = !captions
    ? []
    : placed.flatMap(({ title, top, picture: { tops, height }, captions: words }) => [
        text(4, top - 8, title, 'bold'),
        ...words.map((word, row) => text(4, top + (tops[row]! + (tops[row + 1] ?? height)) / 2 + 4, word)),
      ]);
  const page =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${bottom}">` +
    `<rect width="100%" height="100%" fill="#ffffff"/>${texts.join('')}</svg>`;
  const png = await sharp(await svgToPng(page, { width }))
    .composite(
      placed.map(({ picture: { data, width: columns, height }, top }) => ({
        ...{ input: Buffer.from(data), raw: { width: columns, height, channels: 3 as const }, left, top },
      })),
    )
    .removeAlpha()
    .png({ compressionLevel: 9 })
    .toBuffer();
  return { png, width, height: bottom };
}

function text(x: number, y: number, words: string, weight = 'normal'): string {
  return (
    `<text x="${x}" y="${y}" font-family="DejaVu Sans" font-size="13" font-weight="${weight}" fill="#222222">` +
    `${escapeMarkup(words)}</text>`
  );
}

/**
 * Writes a PNG file.
 *
 * @throws FileWriteError
 */
export async function writePng(path: string, png: Uint8Array): Promise<void> {
  try {
    await writeFile(path, png);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : null;
    throw new FileWriteError(path, code, png.length, null, 'No picture was written.', { cause });
  }
}
