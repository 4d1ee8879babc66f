/** What a clip shows besides person and expression: pose, light, background, camera. */
import { FaceRandom } from './random.js';

/** A quantity that wanders: a sum of slow waves with random phases, which is as likely forwards as backwards. */
export interface Drift {
  readonly centre: number;
  readonly waves: readonly { readonly amplitude: number; readonly cycles: number; readonly phase: number }[];
}

function drawDrift(random: FaceRandom, spread: number, sway: number): Drift {
  return {
    centre: random.between(-spread, spread),
    waves: [0, 1].map((wave) => ({
      amplitude: (sway * random.between(0.3, 1)) / (wave + 1),
      cycles: random.between(0.25, 0.7) * (wave + 1),
      phase: random.between(0, 2 * Math.PI),
    })),
  };
}

/** The value of a drift at a time of the clip, 0 … 1. */
export function driftAt({ centre, waves }: Drift, time: number): number {
  return waves.reduce(
    (sum, { amplitude, cycles, phase }) => sum + amplitude * Math.sin(2 * Math.PI * cycles * time + phase),
    centre,
  );
}

export const BACKGROUNDS = ['plain', 'gradient', 'stripes', 'dots', 'shapes'] as const;

/** A shape of the background, in the units of a frame that is 200 wide and high, with its origin in the middle. */
export interface BackgroundShape {
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly angle: number;
  readonly round: boolean;
  readonly colour: string;
}

export interface Scene {
  readonly background: (typeof BACKGROUNDS)[number];
  readonly backgroundColours: readonly [string, string];
  /** Radians. */
  readonly backgroundAngle: number;
  readonly backgroundShapes: readonly BackgroundShape[];
  readonly clothes: string;
  /** Where the light comes from, in radians, and how strongly its gradient shows, 0 … 1. */
  readonly lightAngle: number;
  readonly lightStrength: Drift;
  /** Factors of red, green and blue. */
  readonly tint: readonly [number, number, number];
  /** Standard deviation of the camera's noise in grey levels of 0 … 255. */
  readonly noiseLevel: number;
  /** Position of the head in frame units, its size as a factor, its lean in radians. */
  readonly shiftX: Drift;
  readonly shiftY: Drift;
  readonly scale: Drift;
  readonly tilt: Drift;
  /** Turn to the side and nod, in radians. */
  readonly yaw: Drift;
  readonly pitch: Drift;
  /** Where the eyes look, in half eye widths and heights. */
  readonly gazeX: Drift;
  readonly gazeY: Drift;
  /** When the eyes blink. */
  readonly blinks: readonly number[];
  /** Small movements of brows and mouth that mean nothing. */
  readonly browTwitch: Drift;
  readonly mouthTwitch: Drift;
}

function hsl(hue: number, saturation: number, lightness: number): string {
  return `hsl(${Math.round(hue)},${Math.round(saturation)}%,${Math.round(lightness)}%)`;
}

function drawColour(random: FaceRandom): string {
  return hsl(random.between(0, 360), random.between(10, 55), random.between(30, 80));
}

function drawShapes(random: FaceRandom): BackgroundShape[] {
  return Array.from({ length: 3 + random.below(5) }, () => ({
    x: random.between(-100, 100),
    y: random.between(-100, 100),
    size: random.between(12, 45),
    angle: random.between(0, 180),
    round: random.chance(0.5),
    colour: drawColour(random),
  }));
}

/**
 * The scene of a clip of the data set. Does not depend on who is in it, nor on the expression.
 *
 * @param variety 0 for a portrait in even light before a plain wall, 1 for the greatest variety
 */
export function drawScene(seed: number, clip: number, variety: number): Scene {
  const random = new FaceRandom(seed, 'scene', clip);
  const warmth = variety * random.between(-0.06, 0.06);
  const exposure = 1 + variety * random.between(-0.15, 0.1);
  const drift = (spread: number, sway: number) => drawDrift(random, variety * spread, variety * sway);
  const isPlain = !random.chance(variety);
  const background = random.pick(BACKGROUNDS);
  return {
    background: isPlain ? 'plain' : background,
    backgroundColours: [drawColour(random), drawColour(random)],
    backgroundAngle: random.between(0, Math.PI),
    backgroundShapes: drawShapes(random),
    clothes: drawColour(random),
    lightAngle: random.between(0, 2 * Math.PI),
    lightStrength: drift(0.12, 0.06),
    tint: [exposure * (1 + warmth), exposure, exposure * (1 - warmth)],
    noiseLevel: variety * random.between(0.5, 3),
    shiftX: drift(7, 3),
    shiftY: drift(5, 2.5),
    scale: drift(0.06, 0.02),
    tilt: drift(0.1, 0.05),
    yaw: drift(0.18, 0.09),
    pitch: drift(0.08, 0.05),
    gazeX: drift(0.15, 0.15),
    gazeY: drift(0.1, 0.08),
    blinks: Array.from({ length: random.below(3) }, () => random.between(0.03, 0.97)).filter(() =>
      random.chance(variety),
    ),
    browTwitch: drift(0.03, 0.05),
    mouthTwitch: drift(0.04, 0.06),
  };
}
