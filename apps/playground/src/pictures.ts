import {
  regionMajorOrder,
  regionOf,
  tokenGrid,
  type ClipConfig,
  type LgiFormerConfig,
} from '@tubelet/mae-dfer';

const GAP = 2;

/** Draws the frames of a clip [T, H, W, 3] side by side. */
export function drawStrip(
  canvas: HTMLCanvasElement,
  frames: ArrayLike<number>,
  { imageSize }: ClipConfig,
): void {
  const area = imageSize ** 2;
  const count = frames.length / 3 / area;
  canvas.width = count * (imageSize + GAP) - GAP;
  canvas.height = imageSize;
  const context = canvas.getContext('2d')!;
  for (let frame = 0; frame < count; frame++) {
    const image = new ImageData(imageSize, imageSize);
    for (let pixel = 0; pixel < area; pixel++) {
      for (let channel = 0; channel < 3; channel++)
        image.data[4 * pixel + channel] = frames[3 * (frame * area + pixel) + channel]!;
      image.data[4 * pixel + 3] = 255;
    }
    context.putImageData(image, frame * (imageSize + GAP), 0);
  }
}

/** The first frame of every cube [T / tubelet, H, W, 3], in half-tones and darker, so that a colour shows on it. */
function dimmed(frames: Uint8Array, { imageSize, tubeletSize }: ClipConfig): Uint8Array {
  const frameLength = imageSize ** 2 * 3;
  const slots = frames.length / frameLength / tubeletSize;
  const result = new Uint8Array(slots * frameLength);
  for (let slot = 0; slot < slots; slot++) {
    for (let i = 0; i < frameLength; i += 3) {
      const at = slot * tubeletSize * frameLength + i;
      const grey = 0.6 * (0.3 * frames[at]! + 0.59 * frames[at + 1]! + 0.11 * frames[at + 2]!);
      result.fill(grey, slot * frameLength + i, slot * frameLength + i + 3);
    }
  }
  return result;
}

/**
 * Draws what representative tokens attend to, on the first frames of cubes: the more, the brighter, the most in each
 * region being full.
 *
 * @param attention [M, 1+N]: a row's first weight is that of the representative itself
 * @param chosen the region to show; all unless given
 */
export function drawAttention(
  canvas: HTMLCanvasElement,
  frames: Uint8Array,
  attention: Float32Array,
  encoder: LgiFormerConfig,
  chosen?: number,
): void {
  drawStrip(canvas, dimmed(frames, encoder), encoder);
  const context = canvas.getContext('2d')!;
  const { imageSize, patchSize } = encoder;
  const [, rows, columns] = tokenGrid(encoder);
  const perRegion = regionOf(encoder).reduce((product, extent) => product * extent, 1);
  const order = regionMajorOrder(encoder);
  for (let region = 0; region < order.length / perRegion; region++) {
    if (chosen !== undefined && region !== chosen) continue;
    const weights = attention.subarray(region * (1 + perRegion) + 1, (region + 1) * (1 + perRegion));
    const most = Math.max(...weights);
    weights.forEach((weight, i) => {
      const token = order[region * perRegion + i]!;
      const slot = Math.floor(token / (rows * columns));
      const x = slot * (imageSize + GAP) + (token % columns) * patchSize;
      const y = (Math.floor(token / columns) % rows) * patchSize;
      context.fillStyle = `rgb(255 176 0 / ${(0.85 * weight) / most})`;
      context.fillRect(x, y, patchSize, patchSize);
    });
  }
}
