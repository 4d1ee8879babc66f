/** The kernels of training's pixels on one image at a time: for those who compare images. */
import { cropRecord, cropVideo, neighbourWords, type Runtime } from '@tubelet/kernels';
import type { Box } from './resize.js';
import { Purpose } from '../stream-purposes.js';
import type { AugmentOperation } from '../transforms/rand-augment.js';
import { planAugment, runAugment } from './augment-pixels.js';
import { BatchTable } from './batch-table.js';
import { uploadJobs } from './square-pixels.js';

/** An image of 8-bit red, green and blue: [height, width, 3], row-major. */
export interface RgbImage {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

const toWords = ({ pixels, width, height }: RgbImage) =>
  Uint32Array.from(
    { length: width * height },
    (_, i) => pixels[3 * i]! | (pixels[3 * i + 1]! << 8) | (pixels[3 * i + 2]! << 16),
  );

/** An image after operations: [height, width, 3]. */
export async function augmentedImage(
  runtime: Runtime,
  image: RgbImage,
  operations: readonly AugmentOperation[],
): Promise<Uint8Array> {
  const { width, height } = image;
  const shape = { frames: 1, width, height };
  return runtime.scope(async () => {
    const table = new BatchTable();
    const plan = planAugment([operations], shape, table);
    const both = new Uint32Array(2 * width * height);
    both.set(toWords(image));
    const pixels = runtime.upload(both, [both.length]);
    runAugment(runtime, plan, pixels, shape, table.upload(runtime));
    const words = new Uint32Array(await runtime.readBytes(pixels)).subarray(plan.places[0]);
    return Uint8Array.from(
      { length: 3 * width * height },
      (_, i) => words[Math.floor(i / 3)]! >> (8 * (i % 3)),
    );
  });
}

/** A box of an image, resized to width × height between the four nearest pixels, and normalised: [3, height, width]. */
export async function croppedImage(
  runtime: Runtime,
  image: RgbImage,
  box: Box,
  { width, height }: { readonly width: number; readonly height: number },
): Promise<Float32Array> {
  return runtime.scope(() => {
    const table = new BatchTable();
    const source = box.y * image.width + box.x;
    const columns = table.add('columns', () => neighbourWords(box.width, width));
    const rows = table.add('rows', () => neighbourWords(box.height, height));
    const job = { source, clip: 0, frame: 0, frames: 1, width, height, columns, rows };
    const video = runtime.empty([1, 3, 1, height, width]);
    cropVideo(runtime, {
      ...{ pixels: runtime.upload(toWords(image), [image.width * image.height]), rowPixels: image.width },
      ...{ jobs: uploadJobs(runtime, [cropRecord(job)]), table: table.upload(runtime), video },
      purpose: Purpose.erase,
    });
    return runtime.read(video);
  });
}
