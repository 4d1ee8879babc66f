/** Reference values of the published method: frame indices, crops, and images resized by Pillow. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

interface StoredImage {
  shape: [number, number, number];
  gzipBase64: string;
}

interface Reference {
  images: Record<string, StoredImage>;
  pretrainFrameIndices: { frameCount: number; start: number | null; startCount: number; indices: number[] }[];
  multiScaleCrop160: { sizes: [number, number][]; offsetsOf140x120: [number, number][] };
}

export const reference = JSON.parse(
  readFileSync(new URL('../fixtures/reference.json', import.meta.url), 'utf8'),
) as Reference;

/** A stored image, [height, width, 3]. */
export function referenceImage(name: string): { pixels: Uint8Array; height: number; width: number } {
  const stored = reference.images[name];
  if (stored === undefined) throw new Error(`reference.json has no image ${name}`);
  const [height, width] = stored.shape;
  return { pixels: new Uint8Array(gunzipSync(Buffer.from(stored.gzipBase64, 'base64'))), height, width };
}
