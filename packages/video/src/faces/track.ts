/** From faces found in a few frames of a video to people, and to a square for each of their frames. */
import { overlap, squareOf, type Face, type FaceSquare } from './face.js';
import { SURE_SCORE } from './look-at.js';

/** The faces of one frame. */
export interface FrameFaces {
  /** Which frame of the video. */
  readonly frame: number;
  readonly faces: readonly Face[];
}

/** A frame of a video, and where the face of a person lies in it. */
export interface TrackedFrame extends FaceSquare {
  readonly frame: number;
}

/** One person in a video. */
export interface FaceTrack {
  /** Rising. Frames in which the person is not to be seen are missing. */
  readonly frames: readonly TrackedFrame[];
  /** In how many of the frames looked at the face was found. */
  readonly found: number;
  /** How many of `frames` lie where the face was looked for and not found, and the square was carried across. */
  readonly bridged: number;
  /** Mean score of the faces that were found. */
  readonly score: number;
}

export interface TrackOptions {
  readonly framesPerSecond: number;
}

/** The face is carried across gaps no longer than this: heads that turn away, hands in front of them. */
const BRIDGED_SECONDS = 1;
/** Squares of one person in frames that follow each other have at least so much in common. */
const LEAST_OVERLAP = 0.2;
/** What is found less often is taken for a mistake of the detector, where more frames were looked at. */
const LEAST_FOUND = 3;
/** Standard deviation of the smoothing over time. */
const SMOOTHING_SECONDS = 0.12;

interface Sighting extends TrackedFrame {
  readonly score: number;
  /** Which of the frames that were looked at. */
  readonly look: number;
}

/** Follows people by where their faces are, the closest pairs first; nobody is recognised who appears elsewhere. */
function link(looks: readonly FrameFaces[]): Sighting[][] {
  const people: Sighting[][] = [];
  for (const [look, { frame, faces }] of looks.entries()) {
    const sightings = faces.map((face) => ({ ...squareOf(face), score: face.score, frame, look }));
    const pairs = people
      .flatMap((person) => sightings.map((seen) => ({ person, seen, common: overlap(person.at(-1)!, seen) })))
      .filter(({ common }) => common >= LEAST_OVERLAP)
      .sort((a, b) => b.common - a.common || b.person.at(-1)!.frame - a.person.at(-1)!.frame);
    const taken = new Set<unknown>();
    for (const { person, seen } of pairs) {
      if (taken.has(person) || taken.has(seen)) continue;
      taken.add(person).add(seen);
      person.push(seen);
    }
    // Who is not followed yet must be sure; a less certain face is taken where there was one just before.
    for (const seen of sightings) if (!taken.has(seen) && seen.score >= SURE_SCORE) people.push([seen]);
  }
  return people;
}

/** The turn next to `reference` that is the same but for whole circles. */
const turnNear = (roll: number, reference: number) =>
  roll + 2 * Math.PI * Math.round((reference - roll) / (2 * Math.PI));

/** The square between two others, the share `t` of the way; sizes grow by factors. */
function between(a: FaceSquare, b: FaceSquare, t: number): FaceSquare {
  const mix = (p: number, q: number) => p + t * (q - p);
  return {
    x: mix(a.x, b.x),
    y: mix(a.y, b.y),
    side: Math.exp(mix(Math.log(a.side), Math.log(b.side))),
    roll: mix(a.roll, turnNear(b.roll, a.roll)),
  };
}

/** Means of neighbouring frames, weighted by a Gaussian that is as wide on both sides: the ends stay where they are. */
function smooth(frames: readonly TrackedFrame[], deviation: number): TrackedFrame[] {
  return frames.map((one, i) => {
    const reach = Math.min(Math.ceil(3 * deviation), i, frames.length - 1 - i);
    let [sum, x, y, size, roll] = [0, 0, 0, 0, 0];
    for (let k = -reach; k <= reach; k++) {
      const other = frames[i + k]!;
      const weight = Math.exp(-((k / deviation) ** 2) / 2);
      sum += weight;
      x += weight * other.x;
      y += weight * other.y;
      size += weight * Math.log(other.side);
      roll += weight * turnNear(other.roll, one.roll);
    }
    return { frame: one.frame, x: x / sum, y: y / sum, side: Math.exp(size / sum), roll: roll / sum };
  });
}

/** A square for every frame of a person, gaps of at most {@link BRIDGED_SECONDS} filled. */
function toTrack(sightings: readonly Sighting[], framesPerSecond: number): FaceTrack {
  const stretches: TrackedFrame[][] = [];
  let bridged = 0;
  for (const [i, seen] of sightings.entries()) {
    const before = sightings[i - 1];
    const goesOn =
      before !== undefined &&
      (seen.look === before.look + 1 || seen.frame - before.frame <= BRIDGED_SECONDS * framesPerSecond);
    if (!goesOn) stretches.push([]);
    else {
      for (let frame = before.frame + 1; frame < seen.frame; frame++) {
        const t = (frame - before.frame) / (seen.frame - before.frame);
        stretches.at(-1)!.push({ frame, ...between(before, seen, t) });
      }
      if (seen.look > before.look + 1) bridged += seen.frame - before.frame - 1;
    }
    const { frame, x, y, side, roll } = seen;
    stretches.at(-1)!.push({ frame, x, y, side, roll });
  }
  const deviation = SMOOTHING_SECONDS * framesPerSecond;
  return {
    frames: stretches.flatMap((stretch) => smooth(stretch, deviation)),
    found: sightings.length,
    bridged,
    score: sightings.reduce((sum, { score }) => sum + score, 0) / sightings.length,
  };
}

/**
 * The people of a video, who is seen largest and longest first. A person is followed by where the face is; whoever
 * comes back to the same place after a gap is taken for the same.
 *
 * @param looks what was found in frames of the video, in order; frames between them are interpolated
 */
export function trackFaces(looks: readonly FrameFaces[], { framesPerSecond }: TrackOptions): FaceTrack[] {
  const least = Math.min(LEAST_FOUND, looks.length);
  const presence = ({ frames }: FaceTrack) => frames.reduce((sum, { side }) => sum + side, 0);
  return link(looks)
    .filter((sightings) => sightings.length >= least)
    .map((sightings) => toTrack(sightings, framesPerSecond))
    .sort((a, b) => presence(b) - presence(a));
}
