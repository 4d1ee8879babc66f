import { forEachPixel, tokensOf, type CubeShape } from '../cubes/cubes.reference.js';

/** Value on [0, 1] of a clip's pixel. */
export type PixelReader = (clip: number, channel: number, frame: number, y: number, x: number) => number;

export interface TargetReferenceOptions {
  readonly normalize: boolean;
  readonly frameDifferenceGroup: number;
}

/** Mean and σ + 1e-6 of a token's cube by channel, in float64. */
export function cubeMoments(shape: CubeShape, clip: number, token: number, at: PixelReader) {
  const pixels = shape.tubeletSize * shape.patch ** 2;
  return [0, 1, 2].map((c) => {
    const values: number[] = [];
    forEachPixel(shape, token, (frame, y, x) => values.push(at(clip, c, frame, y, x)));
    const pivot = values[0]!;
    const mean = pivot + values.reduce((sum, value) => sum + value - pivot, 0) / pixels;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return { mean, deviation: Math.sqrt(squares / (pixels - 1)) + 1e-6 };
  });
}

/** Targets in float64, the plain way: all frames of a clip are normalised cube by cube, then differenced over time. */
export function targetsReference(
  shape: CubeShape,
  masked: ArrayLike<number>,
  at: PixelReader,
  { normalize, frameDifferenceGroup }: TargetReferenceOptions,
): { out: Float64Array; mean: Float64Array; deviation: Float64Array } {
  const { batch, frames, height, width, tubeletSize, patch } = shape;
  const out = new Float64Array(masked.length * 3 * tubeletSize * patch * patch);
  const mean = new Float64Array(masked.length * 3);
  const deviation = new Float64Array(masked.length * 3);
  const perClip = masked.length / batch;
  for (let clip = 0; clip < batch; clip++) {
    const z = new Float64Array(frames * height * width * 3);
    const place = (frame: number, y: number, x: number, c: number) =>
      ((frame * height + y) * width + x) * 3 + c;
    const moments = Array.from({ length: tokensOf(shape) }, (_, token) =>
      cubeMoments(shape, clip, token, at),
    );
    moments.forEach((cube, token) => {
      forEachPixel(shape, token, (frame, y, x) => {
        cube.forEach((moment, c) => {
          const u = at(clip, c, frame, y, x);
          z[place(frame, y, x, c)] = normalize ? (u - moment.mean) / moment.deviation : u;
        });
      });
    });
    for (let i = clip * perClip; i < (clip + 1) * perClip; i++) {
      const token = masked[i]!;
      moments[token]!.forEach((moment, c) => {
        mean[i * 3 + c] = moment.mean;
        deviation[i * 3 + c] = moment.deviation;
      });
      forEachPixel(shape, token, (frame, y, x, kt, kh, kw) => {
        const base = frame - (frame % frameDifferenceGroup);
        for (let c = 0; c < 3; c++) {
          const kept = z[place(frame, y, x, c)]!;
          const value = base === frame ? kept : kept - z[place(base, y, x, c)]!;
          out[(((i * tubeletSize + kt) * patch + kh) * patch + kw) * 3 + c] = value;
        }
      });
    }
  }
  return { out, mean, deviation };
}
