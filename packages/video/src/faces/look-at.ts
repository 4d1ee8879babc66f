/** The faces of one image, whatever its size. */
import type { RgbImage } from '../pixels/image-passes.js';
import { resizeBilinear } from '../pixels/resize.js';
import type { Face, FaceDetector, Point } from './face.js';

/** Longer sides are brought to this for the detector, whose own input is smaller still. */
const LOOKED_AT_PIXELS = 640;
/** What is at least so sure is a face, and the image need not be looked at again. */
export const SURE_SCORE = 0.5;

const surest = (faces: readonly Face[]) => Math.max(0, ...faces.map(({ score }) => score));

/**
 * Finds faces. Of those that fill the image detectors miss many, above all turned ones, or are not sure of them: where
 * none is sure it is looked at once more with room around it, and the surer answer counts.
 */
export async function lookAt(detector: FaceDetector, image: RgbImage): Promise<Face[]> {
  const faces = await lookOnce(detector, image);
  if (surest(faces) >= SURE_SCORE) return faces;
  const [left, top] = [image.width >> 1, image.height >> 1];
  const moved = ({ x, y }: Point) => ({ x: x - left, y: y - top });
  const filling = await lookOnce(detector, withRoom(image, left, top));
  return surest(filling) > surest(faces) ? filling.map((face) => mapped(face, moved)) : faces;
}

async function lookOnce(detector: FaceDetector, image: RgbImage): Promise<Face[]> {
  const { width, height, pixels } = image;
  const factor = LOOKED_AT_PIXELS / Math.max(width, height);
  if (factor >= 1) return detector.detect(image);
  const small = {
    width: Math.max(1, Math.round(width * factor)),
    height: Math.max(1, Math.round(height * factor)),
  };
  const reduced = resizeBilinear(pixels, width, height, small.width, small.height);
  const faces = await detector.detect({ ...small, pixels: reduced });
  const back = ({ x, y }: Point) => ({ x: (x * width) / small.width, y: (y * height) / small.height });
  return faces.map((face) => mapped(face, back));
}

const mapped = ({ score, leftEye, rightEye, mouth }: Face, place: (point: Point) => Point): Face => ({
  ...{ score, leftEye: place(leftEye), rightEye: place(rightEye), mouth: place(mouth) },
});

/** The image in the middle of a grey one of twice its width and height. */
function withRoom({ pixels, width, height }: RgbImage, left: number, top: number): RgbImage {
  const room = new Uint8Array(4 * pixels.length).fill(128);
  for (let y = 0; y < height; y++) {
    const row = pixels.subarray(3 * y * width, 3 * (y + 1) * width);
    room.set(row, 3 * ((y + top) * 2 * width + left));
  }
  return { pixels: room, width: 2 * width, height: 2 * height };
}
