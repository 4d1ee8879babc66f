import { describe, expect, it } from 'vitest';
import { CLASSES, restingFace, type ActionUnits } from '../action-units.js';
import { makeClip, type FrameState } from '../clip.js';
import { BEARDS, drawIdentity, HAIR_STYLES } from '../identity.js';
import { browPoints, lidHeights } from './eyes.js';
import { jawDropHeight, mouthShape } from './mouth.js';
import { clipPicture } from './picture.js';
import { projection } from './projection.js';
import { mix } from './svg.js';

const identity = drawIdentity(0, 1);

function frameWith(units: Partial<ActionUnits>, pose: Partial<FrameState['pose']> = {}): FrameState {
  return {
    units: { ...restingFace(), ...units },
    pose: { x: 0, y: 0, scale: 1, tilt: 0, yaw: 0, pitch: 0, ...pose },
    gaze: [0, 0],
    lightStrength: 0,
    drawn: 0,
  };
}

describe('action units', () => {
  it('open, narrow and close the eyes', () => {
    const opening = (units: Partial<ActionUnits>) => {
      const { upper, lower } = lidHeights(identity, frameWith(units));
      return upper + lower;
    };
    expect(opening({ upperLidRaiser: 1 })).toBeGreaterThan(1.3 * opening({}));
    expect(opening({ lidTightener: 1 })).toBeLessThan(0.75 * opening({}));
    expect(opening({ eyesClosed: 1 })).toBeCloseTo(0, 9);
    expect(lidHeights(identity, frameWith({ cheekRaiser: 1 })).lower).toBeLessThan(
      lidHeights(identity, frameWith({})).lower,
    );
  });

  it('move the ends of the brows by themselves', () => {
    const rest = browPoints(identity, frameWith({}));
    const sad = browPoints(identity, frameWith({ innerBrowRaiser: 1 }));
    expect(sad.innerY).toBeLessThan(rest.innerY - 5);
    expect(Math.abs(sad.outerY - rest.outerY)).toBeLessThan(3);
    const outer = browPoints(identity, frameWith({ outerBrowRaiser: 1 }));
    expect(outer.outerY).toBeLessThan(rest.outerY - 5);
    expect(outer.innerY).toBe(rest.innerY);
    const frown = browPoints(identity, frameWith({ browLowerer: 1 }));
    expect(frown.innerY).toBeGreaterThan(rest.innerY + 5);
    expect(frown.innerX).toBeLessThan(rest.innerX);
  });

  it('shape the mouth', () => {
    const rest = mouthShape(identity, frameWith({}));
    expect(rest.lowerY).toBe(rest.upperY);
    const smile = mouthShape(identity, frameWith({ lipCornerPuller: 1 }));
    expect(smile.cornerY).toBeLessThan(rest.cornerY - 5);
    expect(smile.halfWidth).toBeGreaterThan(rest.halfWidth);
    expect(mouthShape(identity, frameWith({ lipCornerDepressor: 1 })).cornerY).toBeGreaterThan(
      rest.cornerY + 5,
    );
    const open = mouthShape(identity, frameWith({ jawDrop: 1 }));
    expect(open.lowerY - open.upperY).toBeGreaterThan(15);
    expect(jawDropHeight(frameWith({ jawDrop: 1 }))).toBeGreaterThan(5);
    expect(mouthShape(identity, frameWith({ lipPressor: 1 })).upperLip).toBeLessThan(0.5 * rest.upperLip);
    expect(mouthShape(identity, frameWith({ upperLipRaiser: 1 })).upperY).toBeLessThan(rest.upperY - 4);
  });
});

describe('projection', () => {
  it('leaves a head that looks ahead as it is', () => {
    const seen = projection(frameWith({}).pose, identity);
    expect(seen.point(20, -8)).toEqual([20, -8]);
    expect(seen.widthAt(20)).toBeCloseTo(1, 12);
  });

  it('moves what is nearer further, and narrows the side that turns away', () => {
    const seen = projection(frameWith({}, { yaw: 0.3 }).pose, identity);
    const moved = (x: number, depth: number) => seen.point(x, 0, depth)[0] - x;
    expect(moved(0, 0.4)).toBeGreaterThan(moved(0, 0));
    expect(moved(0, 0)).toBeGreaterThan(moved(40, 0));
    expect(moved(identity.headHalfWidth, -0.4)).toBeLessThan(0);
    expect(seen.widthAt(25)).toBeLessThan(1);
    expect(seen.widthAt(-25)).toBeGreaterThan(seen.widthAt(25));
    const nod = projection(frameWith({}, { pitch: 0.3 }).pose, identity);
    expect(nod.point(0, 0)[1]).toBeGreaterThan(0);
  });
});

describe('clipPicture', () => {
  it('names every part once, and refers to none that is missing, with plain numbers everywhere', () => {
    const styles = new Set<string>();
    const beards = new Set<string>();
    for (let subject = 0; subject < 60; subject++) {
      const expression = CLASSES[subject % CLASSES.length] as (typeof CLASSES)[number];
      const clip = makeClip({ seed: 2, subject, clip: subject, expression, variety: 1 }, 3);
      styles.add(clip.identity.hairStyle);
      beards.add(clip.identity.beard);
      const svg = clipPicture(clip, clip.frames, 32);
      expect(svg).not.toMatch(/NaN|undefined|Infinity|[ "(]-?[\d.]+e[-+]?\d/);
      expect(svg.match(/<svg /g)).toHaveLength(4);
      const ids = Array.from(svg.matchAll(/ id="([^"]+)"/g), (match) => match[1]);
      expect(new Set(ids).size).toBe(ids.length);
      for (const [, name] of svg.matchAll(/(?:url\(|href=")#([\w-]+)/g)) expect(ids).toContain(name);
    }
    expect([...styles].sort()).toEqual([...HAIR_STYLES].sort());
    expect([...beards].sort()).toEqual([...BEARDS].sort());
  });
});

describe('mix', () => {
  it('goes from one colour to the other', () => {
    expect(mix('#102030', '#203040', 0)).toBe('#102030');
    expect(mix('#102030', '#203040', 0.5)).toBe('#182838');
    expect(() => mix('red', '#203040', 0.5)).toThrow(/colour red/);
  });
});
