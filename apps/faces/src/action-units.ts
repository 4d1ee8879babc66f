/**
 * Facial action units: what the muscles of a face can do, each from 0 (at rest) to about 1 (as far as it goes).
 * Numbers and names are those of P. Ekman and W. V. Friesen, “Facial Action Coding System”, 1978.
 */
export const ACTION_UNITS = [
  /** AU1: lifts the inner ends of the brows. */
  'innerBrowRaiser',
  /** AU2: lifts the outer ends of the brows. */
  'outerBrowRaiser',
  /** AU4: lowers the brows and draws them together. */
  'browLowerer',
  /** AU5: opens the eyes wide. */
  'upperLidRaiser',
  /** AU6: lifts the cheeks, and with them the lower lids. */
  'cheekRaiser',
  /** AU7: narrows the eyes. */
  'lidTightener',
  /** AU9: wrinkles the nose. */
  'noseWrinkler',
  /** AU10: lifts the upper lip. */
  'upperLipRaiser',
  /** AU12: draws the corners of the lips up and outwards. */
  'lipCornerPuller',
  /** AU15: draws the corners of the lips down. */
  'lipCornerDepressor',
  /** AU17: pushes the lower lip up. */
  'chinRaiser',
  /** AU20: stretches the lips sideways. */
  'lipStretcher',
  /** AU24: presses the lips together, thin and narrow. */
  'lipPressor',
  /** AU25: parts the lips. */
  'lipsPart',
  /** AU26: drops the jaw. */
  'jawDrop',
  /** AU43: closes the eyes; 1 is shut. */
  'eyesClosed',
] as const;

export type ActionUnit = (typeof ACTION_UNITS)[number];
export type ActionUnits = Record<ActionUnit, number>;

export function restingFace(): ActionUnits {
  return Object.fromEntries(ACTION_UNITS.map((unit) => [unit, 0])) as ActionUnits;
}

/** Names of the classes in the order of their labels, which is that of DFEW. */
export const CLASSES = ['happy', 'sad', 'neutral', 'angry', 'surprise', 'disgust', 'fear'] as const;

export type FaceClass = (typeof CLASSES)[number];

/** How the head goes along with an expression, at its apex. */
export interface HeadGesture {
  /** Towards the viewer, as a change of scale. */
  readonly approach: number;
  /** Nodding down, in radians. */
  readonly pitch: number;
  /** Turning away, in radians; to which side is left to the clip. */
  readonly yaw: number;
  /** Leaning, in radians; to which side is left to the clip. */
  readonly tilt: number;
}

/** The face and head of an expression at its apex. */
export interface Expression {
  readonly units: Partial<ActionUnits>;
  readonly gesture: HeadGesture;
  /** Where the eyes go: downwards above 0, in half eye heights. */
  readonly gazeDown: number;
}

const STILL: HeadGesture = { approach: 0, pitch: 0, yaw: 0, tilt: 0 };

/** Wide eyes, raised brows, open mouth: the face that surprise and fear share. */
const STARTLED: Expression = {
  units: {
    innerBrowRaiser: 1,
    outerBrowRaiser: 0.85,
    upperLidRaiser: 1,
    lipsPart: 1,
    jawDrop: 0.8,
    lipStretcher: 0.25,
  },
  gesture: { approach: -0.06, pitch: -0.16, yaw: 0, tilt: 0 },
  gazeDown: 0,
};

/**
 * The apex of each class. Surprise and fear have one and the same: what tells them apart is the direction of time
 * alone (see `time-course.ts`).
 */
export const EXPRESSIONS: Readonly<Record<FaceClass, Expression>> = {
  happy: {
    units: { cheekRaiser: 0.9, lipCornerPuller: 1, lipsPart: 0.9, jawDrop: 0.15 },
    gesture: { approach: 0.02, pitch: -0.05, yaw: 0, tilt: 0.07 },
    gazeDown: 0,
  },
  sad: {
    units: {
      innerBrowRaiser: 1,
      browLowerer: 0.25,
      lipCornerDepressor: 1,
      chinRaiser: 0.6,
      eyesClosed: 0.32,
    },
    gesture: { approach: -0.02, pitch: 0.17, yaw: 0, tilt: 0.06 },
    gazeDown: 0.5,
  },
  neutral: { units: {}, gesture: STILL, gazeDown: 0 },
  angry: {
    units: {
      browLowerer: 1,
      upperLidRaiser: 0.35,
      lidTightener: 0.6,
      lipPressor: 1,
      chinRaiser: 0.35,
      lipCornerDepressor: 0.25,
    },
    gesture: { approach: 0.08, pitch: 0.1, yaw: 0, tilt: 0 },
    gazeDown: 0,
  },
  surprise: STARTLED,
  disgust: {
    units: {
      noseWrinkler: 1,
      upperLipRaiser: 1,
      browLowerer: 0.45,
      lidTightener: 0.8,
      cheekRaiser: 0.35,
      lipCornerDepressor: 0.45,
      lipsPart: 0.35,
    },
    gesture: { approach: -0.05, pitch: -0.05, yaw: 0.18, tilt: 0.05 },
    gazeDown: 0.15,
  },
  fear: STARTLED,
};
