/** Where a point of a turned head is seen: the parallax of a small turn and nod. */
import type { Identity } from '../identity.js';
import type { Pose } from '../clip.js';

export interface Projection {
  /** A point at rest (head units) that lies `depth` head widths before (above 0) or behind the head's surface. */
  point(x: number, y: number, depth?: number): readonly [number, number];
  /** How much narrower things look at this x, 0 … 1. */
  widthAt(x: number): number;
}

/**
 * The head taken as an ellipsoid that turns about its upright and level axes by the angles of `pose`; tilt, place and
 * size are left to the caller, as one transformation of the whole drawing.
 */
export function projection({ yaw, pitch }: Pose, { headHalfWidth, crownY, chinY }: Identity): Projection {
  const middleY = (crownY + chinY) / 2;
  const halfHeight = (chinY - crownY) / 2;
  const thickness = headHalfWidth * 0.75;
  const [sinYaw, cosYaw] = [Math.sin(yaw), Math.cos(yaw)];
  const [sinPitch, cosPitch] = [Math.sin(pitch), Math.cos(pitch)];
  return {
    point(x, y, depth = 0) {
      const out = 1 - (x / headHalfWidth) ** 2 - ((y - middleY) / halfHeight) ** 2;
      const z = thickness * (Math.sqrt(Math.max(0, out)) + depth);
      return [x * cosYaw + z * sinYaw, middleY + (y - middleY) * cosPitch + z * sinPitch];
    },
    widthAt(x) {
      const across = Math.asin(Math.min(0.95, Math.max(-0.95, x / headHalfWidth)));
      return Math.max(0.4, Math.cos(across + yaw) / Math.cos(across));
    },
  };
}
