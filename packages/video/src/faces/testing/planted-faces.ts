/** Faces as a detector would find them, for tests without one. */
import type { RgbImage } from '../../pixels/image-passes.js';
import { ALIGNED, type Face, type FaceDetector, type FaceSquare } from '../face.js';

/** The face for which the square is cut. */
export function faceIn({ x, y, side, roll }: FaceSquare, score = 0.9): Face {
  const place = (across: number, down: number) => ({
    x: x + side * (across * Math.cos(roll) - down * Math.sin(roll)),
    y: y + side * (across * Math.sin(roll) + down * Math.cos(roll)),
  });
  const eyes = ALIGNED.eyeHeight - 0.5;
  return {
    score,
    leftEye: place(-ALIGNED.eyeDistance / 2, eyes),
    rightEye: place(ALIGNED.eyeDistance / 2, eyes),
    mouth: place(0, eyes + ALIGNED.eyesToMouth),
  };
}

/** A detector that is a function. */
export const detectorOf = (find: (image: RgbImage) => Face[]): FaceDetector => ({
  workers: 1,
  detect: (image) => Promise.resolve(find(image)),
  close: () => Promise.resolve(),
});

/** Finds bright discs of one colour, which stand for people: 0 is red, 1 green, 2 blue. */
export function discDetector(): FaceDetector {
  return detectorOf(({ pixels, width, height }) => {
    const faces: Face[] = [];
    for (const channel of [0, 1, 2]) {
      let [count, sumX, sumY] = [0, 0, 0];
      for (let i = 0; i < width * height; i++) {
        const [own, one, two] = [0, 1, 2].map((k) => pixels[3 * i + ((channel + k) % 3)]!);
        if (own! < 150 || one! > 110 || two! > 110) continue;
        count++;
        sumX += i % width;
        sumY += Math.floor(i / width);
      }
      const side = 2 * Math.sqrt(count / Math.PI);
      if (side > 8) faces.push(faceIn({ x: sumX / count, y: sumY / count, side, roll: 0 }));
    }
    return faces;
  });
}

/** Frames [T, height, width, 3] of grey with discs: centre, radius and channel of each. */
export function discFrames(
  count: number,
  width: number,
  height: number,
  discs: (frame: number) => readonly { x: number; y: number; radius: number; channel: number }[],
): Uint8Array {
  const frames = new Uint8Array(count * width * height * 3).fill(60);
  for (let t = 0; t < count; t++) {
    for (const { x, y, radius, channel } of discs(t)) {
      for (let row = 0; row < height; row++) {
        for (let column = 0; column < width; column++) {
          if (Math.hypot(column - x, row - y) > radius) continue;
          const at = 3 * ((t * height + row) * width + column);
          frames.fill(30, at, at + 3);
          frames[at + channel] = 230;
        }
      }
    }
  }
  return frames;
}
