/** Many clips at a glance: a few frames of each beside its name. */
import sharp, { type OverlayOptions } from 'sharp';

/** A row of a contact sheet. */
export interface SheetRow {
  /** Lines of text. */
  readonly text: readonly string[];
  /** Images as files or as their bytes. */
  readonly images: readonly (string | Buffer)[];
}

const TILE = 96;
const GAP = 4;
const TEXT_WIDTH = 320;
const LINE_HEIGHT = 18;
/** What fits beside the images. */
const LINE_CHARACTERS = 44;

const escaped = (text: string) =>
  text.replace(/[&<>]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[character]!);

/** Long texts are broken, wherever it is. */
const broken = (text: string): string[] => text.match(new RegExp(`.{1,${LINE_CHARACTERS}}`, 'g')) ?? [];

/** Draws a contact sheet as a jpg: one row under the other, all images of one size. */
export async function contactSheet(rows: readonly SheetRow[]): Promise<Buffer> {
  const columns = Math.max(1, ...rows.map(({ images }) => images.length));
  const width = TEXT_WIDTH + columns * (TILE + GAP) + GAP;
  const height = Math.max(1, rows.length) * (TILE + GAP) + GAP;
  const parts: OverlayOptions[] = [];
  for (const [row, { images }] of rows.entries()) {
    for (const [column, image] of images.entries()) {
      const input = await sharp(image)
        .resize(TILE, TILE, { fit: 'contain', background: '#ffffff' })
        .toBuffer();
      parts.push({ input, left: TEXT_WIDTH + column * (TILE + GAP), top: GAP + row * (TILE + GAP) });
    }
  }
  const lines = rows.flatMap(({ text }, row) =>
    text
      .flatMap(broken)
      .slice(0, Math.floor(TILE / LINE_HEIGHT))
      .map((line, i) => {
        const y = GAP + row * (TILE + GAP) + (i + 1) * LINE_HEIGHT;
        return `<text x="${GAP}" y="${y}">${escaped(line)}</text>`;
      }),
  );
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="13">${lines.join('')}</svg>`;
  parts.push({ input: Buffer.from(svg), left: 0, top: 0 });
  const ground = { create: { width, height, channels: 3, background: '#ffffff' } } as const;
  return sharp(ground).composite(parts).jpeg({ quality: 88 }).toBuffer();
}
