/** Faces in images, and the squares that are cut around them. */
import type { RgbImage } from '../pixels/image-passes.js';

/** In pixels from the top left corner of the image. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A face that was found in an image. */
export interface Face {
  /** How sure the detector is, 0 to 1. */
  readonly score: number;
  /** The middle of the eye that is further left in the image. */
  readonly leftEye: Point;
  readonly rightEye: Point;
  /** Half-way between the corners of the mouth. */
  readonly mouth: Point;
}

/** Finds the faces of images, several at a time. */
export interface FaceDetector {
  /** Images that it works on at once. */
  readonly workers: number;
  detect(image: RgbImage): Promise<Face[]>;
  close(): Promise<void>;
}

/** A square in an image, turned about its centre. */
export interface FaceSquare {
  readonly x: number;
  readonly y: number;
  /** In pixels. */
  readonly side: number;
  /** Clockwise, in radians. */
  readonly roll: number;
}

/**
 * Where the face lies in an aligned crop, in shares of the crop's side. These follow OpenFace at its
 * default scale, with which the laboratory sets of the paper were cut: a mean face with its eyes 65.7 mm apart and the
 * corners of its mouth 66.6 mm below them, the eyes 38.3 mm above its origin, which is the middle of a crop of 160 mm.
 */
export const ALIGNED = {
  eyeDistance: 65.7 / 160,
  eyesToMouth: 66.6 / 160,
  eyeHeight: 0.5 - 38.3 / 160,
} as const;

/** Edge of the crops that are made, in pixels. */
export const FACE_SIZE = 224;

/** The square that holds an aligned face. */
export function squareOf({ leftEye, rightEye, mouth }: Face): FaceSquare {
  const across = { x: rightEye.x - leftEye.x, y: rightEye.y - leftEye.y };
  const middle = { x: (leftEye.x + rightEye.x) / 2, y: (leftEye.y + rightEye.y) / 2 };
  const roll = Math.atan2(across.y, across.x);
  // A head turned aside brings the eyes together, one that nods brings the mouth up: the longer measure counts.
  const side = Math.max(
    Math.hypot(across.x, across.y) / ALIGNED.eyeDistance,
    Math.hypot(mouth.x - middle.x, mouth.y - middle.y) / ALIGNED.eyesToMouth,
  );
  const down = (0.5 - ALIGNED.eyeHeight) * side;
  return { x: middle.x - Math.sin(roll) * down, y: middle.y + Math.cos(roll) * down, side, roll };
}

/** How much two squares have in common: the area of their intersection over that of their union, turns left aside. */
export function overlap(a: FaceSquare, b: FaceSquare): number {
  const shared = (p: number, q: number) =>
    Math.max(0, Math.min(p + a.side / 2, q + b.side / 2) - Math.max(p - a.side / 2, q - b.side / 2));
  const area = shared(a.x, b.x) * shared(a.y, b.y);
  return area / (a.side ** 2 + b.side ** 2 - area);
}
