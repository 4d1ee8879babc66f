import { describe, expect, it } from 'vitest';
import { ACTION_UNITS, CLASSES, EXPRESSIONS, type FaceClass } from './action-units.js';
import { makeClip, type Clip } from './clip.js';
import { renderClip } from './render.js';

const FRAMES = 16;
const SIZE = 32;

const clipOf = (expression: FaceClass, subject = 3, clip = 8): Clip =>
  makeClip({ seed: 5, subject, clip, expression, variety: 1 }, FRAMES);

async function framesOf(clip: Clip, size = SIZE): Promise<Buffer[]> {
  const pixels = Buffer.from(await renderClip(clip, size));
  const frameBytes = size * size * 3;
  expect(pixels).toHaveLength(clip.frames.length * frameBytes);
  return clip.frames.map((_, i) => pixels.subarray(i * frameBytes, (i + 1) * frameBytes));
}

const meanDifference = (a: Buffer, b: Buffer): number =>
  a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] as number)), 0) / a.length;

/** How much of an expression a frame shows. */
const activity = (clip: Clip): number[] =>
  clip.frames.map(({ units }) =>
    ACTION_UNITS.reduce((sum, unit) => sum + (unit === 'eyesClosed' ? 0 : units[unit]), 0),
  );

describe('surprise and fear', () => {
  it('are drawn from the same face', () => {
    expect(EXPRESSIONS.fear).toEqual(EXPRESSIONS.surprise);
  });

  it('are the same frames in opposite order, noise included', async () => {
    for (const [subject, clip] of [
      [0, 0],
      [7, 123],
    ] as const) {
      const surprise = await framesOf(clipOf('surprise', subject, clip));
      const fear = await framesOf(clipOf('fear', subject, clip));
      for (let i = 0; i < FRAMES; i++) {
        expect(fear[i]?.equals(surprise[FRAMES - 1 - i] as Buffer), `frame ${i}`).toBe(true);
      }
      expect(Buffer.concat(fear).equals(Buffer.concat(surprise))).toBe(false);
    }
  });

  it('differ in the direction of time in every clip: one comes fast and goes slowly', () => {
    for (let clip = 0; clip < 50; clip++) {
      for (const [expression, direction] of [
        ['surprise', 1],
        ['fear', -1],
      ] as const) {
        const shown = activity(makeClip({ seed: 1, subject: clip, clip, expression, variety: 1 }, 64));
        const peak = Math.max(...shown);
        const within = (share: number) =>
          shown.map((value, i) => [value > share * peak, i] as const).filter(([is]) => is);
        const [some, most] = [within(0.3), within(0.9)];
        const rise = (most[0]?.[1] as number) - (some[0]?.[1] as number);
        const fall = (some.at(-1)?.[1] as number) - (most.at(-1)?.[1] as number);
        expect(direction * (fall - rise), `${expression} ${clip}`).toBeGreaterThan(4);
      }
    }
  });
});

describe('makeClip', () => {
  it('begins and ends at rest, with the apex between', () => {
    for (const expression of CLASSES) {
      const shown = activity(clipOf(expression));
      const [first, last] = [shown[0] as number, shown.at(-1) as number];
      expect(Math.max(first, last), expression).toBeLessThan(0.5);
      if (expression !== 'neutral') expect(Math.max(...shown), expression).toBeGreaterThan(1);
      else expect(Math.max(...shown)).toBeLessThan(0.5);
    }
  });

  it('keeps an expression whole for as long as is asked, in its direction of time', () => {
    for (const expression of CLASSES.filter((name) => name !== 'neutral')) {
      const key = { seed: 5, subject: 2, clip: 7, expression, variety: 0 };
      const wholeShare = (hold: number) => {
        const shown = activity(makeClip({ ...key, hold }, 100));
        const peak = Math.max(...shown);
        return shown.filter((value) => value > 0.98 * peak).length / 100;
      };
      expect(wholeShare(0.7), expression).toBeGreaterThan(0.69);
      expect(wholeShare(0.7), expression).toBeLessThan(0.85);
      expect(wholeShare(0), expression).toBeLessThan(0.45);
    }
  });

  it('gives all classes of a clip number the same person and scene', () => {
    const [happy, ...others] = CLASSES.map((expression) => clipOf(expression)) as [Clip, ...Clip[]];
    for (const other of others) {
      expect(other.identity).toEqual(happy.identity);
      expect(other.scene).toEqual(happy.scene);
    }
  });

  it('varies person, scene, strength and time from clip to clip', () => {
    const clips = Array.from({ length: 20 }, (_, i) => clipOf('happy', i, i));
    expect(new Set(clips.map(({ identity }) => JSON.stringify(identity))).size).toBe(20);
    expect(new Set(clips.map(({ scene }) => JSON.stringify(scene))).size).toBe(20);
    const peaks = clips.map((clip) => Math.max(...activity(clip)));
    expect(Math.max(...peaks) / Math.min(...peaks)).toBeGreaterThan(1.2);
    const apexes = clips.map((clip) => activity(clip).indexOf(Math.max(...activity(clip))));
    expect(new Set(apexes).size).toBeGreaterThan(3);
  });
});

describe('renderClip', () => {
  it('draws the same bytes again, and others for another clip, person or seed', async () => {
    const bytes = async (clip: Clip) => Buffer.concat(await framesOf(clip));
    const once = await bytes(clipOf('angry'));
    expect((await bytes(clipOf('angry'))).equals(once)).toBe(true);
    const others = [
      clipOf('angry', 4),
      clipOf('angry', 3, 9),
      makeClip({ seed: 6, subject: 3, clip: 8, expression: 'angry', variety: 1 }, FRAMES),
    ];
    for (const other of others) expect((await bytes(other)).equals(once)).toBe(false);
  });

  it('shows at the apex what tells every pair of classes apart, but for surprise and fear', async () => {
    const apexes = new Map<FaceClass, Buffer>();
    for (const expression of CLASSES) {
      const clip = clipOf(expression);
      // At one time, so that only the expression differs: an apex on a neutral clip's head.
      const shown = activity(clip);
      const apex = clip.frames[shown.indexOf(Math.max(...shown))] as Clip['frames'][number];
      const still = clipOf('neutral').frames[0] as Clip['frames'][number];
      const frame = { ...still, units: { ...apex.units, eyesClosed: 0 } };
      apexes.set(expression, (await framesOf({ ...clip, frames: [frame] }, 64))[0] as Buffer);
    }
    for (const a of CLASSES) {
      for (const b of CLASSES.slice(CLASSES.indexOf(a) + 1)) {
        const difference = meanDifference(apexes.get(a) as Buffer, apexes.get(b) as Buffer);
        if (a === 'surprise' && b === 'fear') expect(difference).toBe(0);
        else expect(difference, `${a} and ${b}`).toBeGreaterThan(0.4);
      }
    }
  });

  it('draws more frames than one picture takes', async () => {
    const clip = makeClip({ seed: 5, subject: 3, clip: 8, expression: 'sad', variety: 1 }, 17);
    const large = await framesOf(clip, 512);
    const small = await framesOf(clip, 64);
    // The last frame lies in the second picture: reduced, it must be the one drawn small.
    const reduced = Buffer.from(
      Array.from({ length: 64 * 64 * 3 }, (_, i) => {
        const [x, y, channel] = [Math.floor(i / 3) % 64, Math.floor(i / 192), i % 3];
        let sum = 0;
        for (let dy = 0; dy < 8; dy++) {
          for (let dx = 0; dx < 8; dx++)
            sum += large[16]?.[((y * 8 + dy) * 512 + x * 8 + dx) * 3 + channel] ?? NaN;
        }
        return sum / 64;
      }),
    );
    expect(meanDifference(reduced, small[16] as Buffer)).toBeLessThan(4);
    expect(meanDifference(reduced, small[0] as Buffer)).toBeGreaterThan(
      meanDifference(reduced, small[16] as Buffer),
    );
  });
});
