/** How large the faces of a data set are in their frames, and where: other crops than the protocol's cost accuracy. */
import { VideoDecodeError } from '../../errors.js';
import { squareOf, type FaceDetector } from '../../faces/face.js';
import { wholeFrames } from '../../faces/find-people.js';
import { lookAt } from '../../faces/look-at.js';
import type { DecoderPool } from '../../loader/pool.js';
import type { LabelledVideo } from '../dataset.js';
import { forEachConcurrently } from './concurrent.js';
import { finding, type Finding } from './finding.js';

/** The quarter points of what was measured in the clips. */
export interface Quartiles {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/** Of a sample of clips, in a frame of each. */
export interface FaceCrops {
  /** Clips that were looked at. */
  readonly clips: number;
  /** In how many of them a face was found. */
  readonly found: number;
  /**
   * The edge of the square that `data faces` would cut, over the shorter side of the frame: 1 for what it has cut.
   * Null where no face was found, like the others.
   */
  readonly size: Quartiles | null;
  /** How far the middle of that square lies to the right of the frame's, and below, in shares of the square's edge. */
  readonly right: Quartiles | null;
  readonly down: Quartiles | null;
  /** How far the face is turned clockwise, in degrees. */
  readonly turn: Quartiles | null;
}

/** Clips to look at. */
const SAMPLE = 48;
/** Of so many clips a face is found in the protocol's crops, and in whole frames as a rule. */
const LEAST_FOUND = 0.7;
/** Below it, faces take so little of a frame that this is not a crop of a face. */
const LEAST_SIZE = 0.5;
/** What aligned crops may differ by in the median. */
const ALIGNED_SIZES = [0.8, 1.25] as const;
const MOST_SHIFT = 0.1;
const MOST_TURN_DEGREES = 6;

function quartiles(values: readonly number[]): Quartiles | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return { low: at(0.25), median: at(0.5), high: at(0.75) };
}

/** Looks at the middle frames of clips spread over the data set; the surest face of each counts. */
export async function measureFaceCrops(
  clips: readonly LabelledVideo[],
  detector: FaceDetector,
  pool: DecoderPool,
): Promise<FaceCrops> {
  const count = Math.min(SAMPLE, clips.length);
  const sample = Array.from(
    { length: count },
    (_, i) => clips[Math.floor(((i + 0.5) * clips.length) / count)]!,
  );
  const faces: { size: number; right: number; down: number; turn: number }[] = [];
  let looked = 0;
  await forEachConcurrently(sample, 2 * detector.workers, async ({ path }) => {
    try {
      const info = await pool.probe(path);
      for await (const { image } of wholeFrames(pool, info, [info.frameCount >> 1])) {
        looked++;
        const [face] = (await lookAt(detector, image)).sort((a, b) => b.score - a.score);
        if (face === undefined) continue;
        const { x, y, side, roll } = squareOf(face);
        faces.push({
          size: side / Math.min(image.width, image.height),
          right: (x - image.width / 2) / side,
          down: (y - image.height / 2) / side,
          turn: (roll * 180) / Math.PI,
        });
      }
    } catch (error) {
      // What cannot be decoded is found by the check of all clips.
      if (!(error instanceof VideoDecodeError)) throw error;
    }
  });
  const of = (name: 'size' | 'right' | 'down' | 'turn') => quartiles(faces.map((face) => face[name]));
  return {
    ...{ clips: looked, found: faces.length },
    ...{ size: of('size'), right: of('right'), down: of('down'), turn: of('turn') },
  };
}

/**
 * What is wrong with the crops.
 *
 * @param aligned whether the protocol's crops have the proportions that `data faces` gives; where it is not known what
 *   they have, only what is not a crop of a face at all is told
 */
export function faceCropFindings(
  { clips, found, size, right, down, turn }: FaceCrops,
  aligned: boolean,
): Finding[] {
  if (clips === 0) return [];
  const where = `${clips} clips spread over the data set`;
  const tell = (problem: string, remedy: string) => finding('face-crops', { where, problem, remedy });
  const useOwners = aligned
    ? 'Cut them by `tubelet data faces`, or as OpenFace does at its default scale'
    : 'Use the face crops that the owners distribute, not whole frames or crops made otherwise';
  if (size === null || found < LEAST_FOUND * clips) {
    return [tell(`a face was found in ${found} of them only`, `Look at some. ${useOwners}`)];
  }
  const findings: Finding[] = [];
  const percent = (share: number) => `${Math.round(100 * share)} %`;
  const [least, most] = ALIGNED_SIZES;
  if (size.median < LEAST_SIZE) {
    const problem = `the face with its margin takes ${percent(size.median)} of the shorter side: these are not face crops`;
    findings.push(tell(problem, useOwners));
  } else if (aligned && (size.median < least || size.median > most)) {
    const problem = `the face with its margin takes ${percent(size.median)} of the shorter side, not about 100 %`;
    findings.push(tell(problem, useOwners));
  }
  if (!aligned) return findings;
  for (const [name, shift] of [
    ['right', right!.median],
    ['down', down!.median],
  ] as const) {
    if (Math.abs(shift) <= MOST_SHIFT) continue;
    const direction = name === 'right' ? (shift > 0 ? 'right' : 'left') : shift > 0 ? 'down' : 'up';
    const problem = `faces lie ${percent(Math.abs(shift))} of their edge too far ${direction}`;
    findings.push(tell(problem, useOwners));
  }
  const turned = Math.max(Math.abs(turn!.low), Math.abs(turn!.high));
  if (turned > MOST_TURN_DEGREES) {
    const problem = `a quarter of the faces or more are turned by ${Math.round(turned)}° or more: they were not aligned`;
    findings.push(tell(problem, useOwners));
  }
  return findings;
}
