/** A video with frames around its faces, and what is said of each. */
import sharp from 'sharp';
import type { DecoderPool } from '../loader/pool.js';
import type { VideoInfo } from '../decode/video-info.js';
import { wholeFrames } from './find-people.js';
import type { FaceTrack } from './track.js';

/** A person in the drawn video. */
export interface DrawnFace {
  readonly track: FaceTrack;
  readonly text: string;
  /** As SVG writes it. */
  readonly colour: string;
}

/** Longer sides are brought to this: enough to look at. */
const LONGEST_SIDE = 480;
const FONT_PIXELS = 14;

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** Frames of a video with a square around each face and the text above it. */
export interface DrawnVideo {
  /** Each [height, width, 3], RGB. */
  readonly frames: AsyncGenerator<Uint8Array, void>;
  readonly width: number;
  readonly height: number;
}

/** Draws all frames of a video, one after the other as they are asked for, which throws a VideoDecodeError. */
export function drawFaces(pool: DecoderPool, info: VideoInfo, faces: readonly DrawnFace[]): DrawnVideo {
  const factor = Math.min(1, LONGEST_SIDE / Math.max(info.width, info.height));
  const even = (length: number) => Math.max(2, 2 * Math.round((length * factor) / 2));
  const [width, height] = [even(info.width), even(info.height)];
  return { frames: drawnFrames(pool, info, faces, { factor, width, height }), width, height };
}

async function* drawnFrames(
  pool: DecoderPool,
  info: VideoInfo,
  faces: readonly DrawnFace[],
  { factor, width, height }: { factor: number; width: number; height: number },
): AsyncGenerator<Uint8Array, void> {
  const squares = faces.map(({ track }) => new Map(track.frames.map((one) => [one.frame, one])));
  const indices = Array.from({ length: info.frameCount }, (_, i) => i);
  for await (const { frame, image } of wholeFrames(pool, info, indices)) {
    const shapes = faces.map(({ text, colour }, person) => {
      const square = squares[person]!.get(frame);
      if (square === undefined) return '';
      const [x, y, half] = [square.x, square.y, square.side / 2].map((length) => length * factor) as [
        number,
        number,
        number,
      ];
      const degrees = (square.roll * 180) / Math.PI;
      return (
        `<rect x="${x - half}" y="${y - half}" width="${2 * half}" height="${2 * half}" fill="none" stroke="${colour}" ` +
        `stroke-width="2" transform="rotate(${degrees} ${x} ${y})"/>` +
        `<text x="${Math.max(2, x - half)}" y="${Math.max(FONT_PIXELS, y - half - 4)}" fill="${colour}" stroke="#000000" ` +
        `stroke-width="3" paint-order="stroke">${escaped(text)}</text>`
      );
    });
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-weight="bold" font-size="${FONT_PIXELS}">${shapes.join('')}</svg>`;
    const raw = { width: image.width, height: image.height, channels: 3 } as const;
    yield await sharp(image.pixels, { raw })
      .resize(width, height, { fit: 'fill' })
      .composite([{ input: Buffer.from(svg) }])
      .removeAlpha()
      .raw()
      .toBuffer();
  }
}
