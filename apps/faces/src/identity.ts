/** Who a face belongs to: everything that stays the same in all clips of a person. */
import { FaceRandom } from './random.js';

export const HAIR_STYLES = ['bald', 'cropped', 'parted', 'fringe', 'long', 'curly', 'bun'] as const;
export type HairStyle = (typeof HAIR_STYLES)[number];

export const BEARDS = ['none', 'stubble', 'moustache', 'full'] as const;
export type Beard = (typeof BEARDS)[number];

const SKINS = [
  '#f8dcc8',
  '#f2caab',
  '#e6b48f',
  '#d39c72',
  '#bb8158',
  '#9c6743',
  '#7c4f33',
  '#5f3c28',
] as const;
const HAIRS = [
  '#1f1a18',
  '#3a2a20',
  '#5d4030',
  '#8a5a33',
  '#b98748',
  '#d9b56d',
  '#a2452a',
  '#8f8f93',
] as const;
const IRISES = ['#4a2f1d', '#6b4626', '#3f6a4a', '#3f6f9c', '#6a7580', '#7a6a2c'] as const;

/**
 * Lengths are in the units of a head that is about 120 wide and 150 high, with its origin between the eyes and the
 * nose, x to the right and y down; angles are in radians.
 */
export interface Identity {
  readonly skin: string;
  readonly hair: string;
  readonly iris: string;
  readonly hairStyle: HairStyle;
  readonly beard: Beard;
  /** Colour of the frames, or null without glasses. */
  readonly glasses: string | null;
  readonly roundGlasses: boolean;
  readonly freckles: boolean;
  readonly headHalfWidth: number;
  readonly jawHalfWidth: number;
  readonly crownY: number;
  readonly chinY: number;
  readonly earSize: number;
  /** Distance of each eye from the middle. */
  readonly eyeX: number;
  readonly eyeY: number;
  readonly eyeHalfWidth: number;
  /** Height of the opening as a share of the width. */
  readonly eyeOpening: number;
  /** Outer corners above the inner ones. */
  readonly eyeSlant: number;
  readonly browHeight: number;
  readonly browThickness: number;
  readonly browArch: number;
  /** Outer ends above the inner ones. */
  readonly browSlant: number;
  readonly noseLength: number;
  readonly noseHalfWidth: number;
  readonly mouthY: number;
  readonly mouthHalfWidth: number;
  readonly lipThickness: number;
  /** Corners of the mouth at rest, upwards above 0. */
  readonly mouthCurve: number;
  /** How much folds show, 0 … 1. */
  readonly age: number;
  /** How strongly this person shows what others show at 1. */
  readonly expressiveness: number;
}

/** The person of a number. */
export function drawIdentity(seed: number, subject: number): Identity {
  const random = new FaceRandom(seed, 'person', subject);
  const hairStyle = random.pick(HAIR_STYLES);
  const longHaired = hairStyle === 'long' || hairStyle === 'bun';
  const beardDraw = random.between(0, 1);
  const headHalfWidth = random.between(52, 60);
  const eyeHalfWidth = random.between(10.5, 13.5);
  const age = random.between(0, 1);
  return {
    skin: random.pick(SKINS),
    hair: age > 0.85 ? '#a9a9ad' : random.pick(HAIRS),
    iris: random.pick(IRISES),
    hairStyle,
    beard:
      longHaired || beardDraw < 0.62 ? 'none' : (BEARDS[1 + Math.floor((beardDraw - 0.62) * 7.8)] ?? 'full'),
    glasses: random.chance(0.25) ? random.pick(['#22242a', '#6b3a2a', '#7d8794', '#8a1f2d']) : null,
    roundGlasses: random.chance(0.5),
    freckles: random.chance(0.2),
    headHalfWidth,
    jawHalfWidth: headHalfWidth * random.between(0.62, 0.86),
    crownY: random.between(-78, -70),
    chinY: random.between(68, 80),
    earSize: random.between(10, 14),
    eyeX: random.between(21.5, 27),
    eyeY: random.between(-11, -5),
    eyeHalfWidth,
    eyeOpening: random.between(0.42, 0.62),
    eyeSlant: random.between(-0.06, 0.14),
    browHeight: random.between(15, 19.5),
    browThickness: random.between(2.8, 5.6),
    browArch: random.between(1, 5),
    browSlant: random.between(-1.5, 2.5),
    noseLength: random.between(25, 33),
    noseHalfWidth: random.between(7, 11.5),
    mouthY: random.between(39, 45),
    mouthHalfWidth: random.between(16.5, 22),
    lipThickness: random.between(2.2, 5),
    mouthCurve: random.between(-1.6, 1.8),
    age,
    expressiveness: random.between(0.85, 1.1),
  };
}
