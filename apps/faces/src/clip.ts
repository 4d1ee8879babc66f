/** What a clip shows at each of its frames. */
import {
  ACTION_UNITS,
  EXPRESSIONS,
  restingFace,
  type ActionUnit,
  type ActionUnits,
  type FaceClass,
} from './action-units.js';
import { drawIdentity, type Identity } from './identity.js';
import { FaceRandom } from './random.js';
import { drawScene, driftAt, type Scene } from './scene.js';
import { drawTimeCourse, intensityAt, REVERSED, type TimeCourse } from './time-course.js';

/** What names a clip: everything in it follows from this. */
export interface ClipKey {
  readonly seed: number;
  readonly subject: number;
  /** Number of the clip in its data set. */
  readonly clip: number;
  readonly expression: FaceClass;
  /** How much clips differ in what is not expression, 0 to 1. */
  readonly variety: number;
  /** See `FaceDataSettings`; default: 0. */
  readonly hold?: number;
}

/** A head as the camera sees it. */
export interface Pose {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
  /** Radians. */
  readonly tilt: number;
  readonly yaw: number;
  readonly pitch: number;
}

/** One frame of a clip, before it is drawn. */
export interface FrameState {
  readonly units: ActionUnits;
  readonly pose: Pose;
  /** Where the eyes look, in half eye widths and heights. */
  readonly gaze: readonly [number, number];
  readonly lightStrength: number;
  /** Its number in the order of drawing, which is that of showing but for clips that run backwards. */
  readonly drawn: number;
}

export interface Clip {
  readonly key: ClipKey;
  readonly identity: Identity;
  readonly scene: Scene;
  /** In the order in which they are shown. */
  readonly frames: readonly FrameState[];
}

/** How strongly, when, and with which slant a clip shows its expression. */
interface Performance {
  readonly course: TimeCourse;
  readonly strength: number;
  /** A factor for each unit: no two smiles are the same. */
  readonly unitGains: Readonly<ActionUnits>;
  readonly gestureGain: number;
  /** −1 or 1: to which side the head turns. */
  readonly side: number;
}

function drawPerformance(key: ClipKey, process: FaceClass): Performance {
  const random = new FaceRandom(key.seed, 'expression', key.clip);
  const unitGains = restingFace();
  for (const unit of ACTION_UNITS) unitGains[unit] = random.between(0.75, 1.1);
  return {
    strength: 1 - key.variety * random.between(0, 0.5),
    gestureGain: random.between(0.3, 1),
    side: random.chance(0.5) ? 1 : -1,
    unitGains,
    course: drawTimeCourse(process, random, key.hold),
  };
}

/** Half of the time that a blink takes, as a share of the clip. */
const BLINK_HALF_TIME = 0.06;

function blinkAt(blinks: readonly number[], time: number): number {
  return Math.max(0, ...blinks.map((centre) => 1 - Math.abs(time - centre) / BLINK_HALF_TIME));
}

function frameAt(
  time: number,
  drawn: number,
  { units: apex, gesture, gazeDown }: (typeof EXPRESSIONS)[FaceClass],
  { course, strength, unitGains, gestureGain, side }: Performance,
  { expressiveness }: Identity,
  scene: Scene,
): FrameState {
  const intensity = intensityAt(course, time);
  const units = restingFace();
  for (const [unit, whole] of Object.entries(apex) as [ActionUnit, number][]) {
    units[unit] = whole * unitGains[unit] * strength * expressiveness * intensity;
  }
  const twitch = driftAt(scene.mouthTwitch, time);
  units.innerBrowRaiser += Math.max(0, driftAt(scene.browTwitch, time));
  units.lipCornerPuller += Math.max(0, twitch);
  units.lipCornerDepressor += Math.max(0, -twitch);
  units.eyesClosed = Math.min(1, Math.max(units.eyesClosed, blinkAt(scene.blinks, time)));
  const moved = intensity * gestureGain;
  return {
    units,
    pose: {
      x: driftAt(scene.shiftX, time),
      y: driftAt(scene.shiftY, time),
      scale: (1 + driftAt(scene.scale, time)) * (1 + moved * gesture.approach),
      tilt: driftAt(scene.tilt, time) + side * moved * gesture.tilt,
      yaw: driftAt(scene.yaw, time) + side * moved * gesture.yaw,
      pitch: driftAt(scene.pitch, time) + moved * gesture.pitch,
    },
    gaze: [driftAt(scene.gazeX, time), driftAt(scene.gazeY, time) + intensity * gazeDown],
    lightStrength: driftAt(scene.lightStrength, time),
    drawn,
  };
}

/**
 * The clip of a key.
 *
 * @param frameCount frames over which the expression comes and goes
 */
export function makeClip(key: ClipKey, frameCount: number): Clip {
  const mirrored = REVERSED[key.expression];
  const process = mirrored ?? key.expression;
  const identity = drawIdentity(key.seed, key.subject);
  const scene = drawScene(key.seed, key.clip, key.variety);
  const performance = drawPerformance(key, process);
  const frames = Array.from({ length: frameCount }, (_, i) =>
    frameAt((i + 0.5) / frameCount, i, EXPRESSIONS[process], performance, identity, scene),
  );
  return { key, identity, scene, frames: mirrored === undefined ? frames : frames.reverse() };
}
