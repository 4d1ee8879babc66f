import { IMAGENET_MEAN, IMAGENET_STD } from './clip-geometry.js';

/** Everything needed to find a pixel of a cube. */
export interface CubeShape {
  readonly batch: number;
  readonly frames: number;
  readonly height: number;
  readonly width: number;
  readonly tubeletSize: number;
  readonly patch: number;
}

/** Tokens of one clip. */
export function tokensOf({ frames, height, width, tubeletSize, patch }: CubeShape): number {
  return (frames / tubeletSize) * (height / patch) * (width / patch);
}

/** Calls `visit(pixel, frame-in-cube, row-in-cube, column-in-cube)` for each pixel of a token's cube. */
export function forEachPixel(
  { height, width, tubeletSize, patch }: CubeShape,
  token: number,
  visit: (frame: number, y: number, x: number, kt: number, kh: number, kw: number) => void,
): void {
  const columns = width / patch;
  const perSlot = (height / patch) * columns;
  const t = Math.floor(token / perSlot);
  const h = Math.floor((token % perSlot) / columns);
  const w = token % columns;
  for (let kt = 0; kt < tubeletSize; kt++) {
    for (let kh = 0; kh < patch; kh++) {
      for (let kw = 0; kw < patch; kw++)
        visit(t * tubeletSize + kt, h * patch + kh, w * patch + kw, kt, kh, kw);
    }
  }
}

/** Cubes of clips whose value at (clip, channel, frame, y, x) is `at`; rows of `indices`, vector order (c, kt, kh, kw). */
export function cubesReference(
  shape: CubeShape,
  indices: ArrayLike<number>,
  at: (clip: number, channel: number, frame: number, y: number, x: number) => number,
): Float64Array {
  const { tubeletSize, patch, batch } = shape;
  const plane = tubeletSize * patch * patch;
  const out = new Float64Array(indices.length * 3 * plane);
  for (let i = 0; i < indices.length; i++) {
    const clip = Math.floor(i / (indices.length / batch));
    forEachPixel(shape, indices[i]!, (frame, y, x, kt, kh, kw) => {
      for (let c = 0; c < 3; c++) {
        out[(i * 3 + c) * plane + (kt * patch + kh) * patch + kw] = at(clip, c, frame, y, x);
      }
    });
  }
  return out;
}

/** Reads uint8 frames [B, T, H, W, 3] as ImageNet-normalised values. */
export function normalisedFrames({ frames, height, width }: CubeShape, bytes: ArrayLike<number>) {
  return (clip: number, channel: number, frame: number, y: number, x: number): number => {
    const byte = bytes[(((clip * frames + frame) * height + y) * width + x) * 3 + channel]!;
    return (byte / 255 - IMAGENET_MEAN[channel]!) / IMAGENET_STD[channel]!;
  };
}

/** Reads an f32 video [B, 3, T, H, W]. */
export function videoValues({ frames, height, width }: CubeShape, video: ArrayLike<number>) {
  return (clip: number, channel: number, frame: number, y: number, x: number): number =>
    video[(((clip * 3 + channel) * frames + frame) * height + y) * width + x]!;
}
