/** Eyes, brows, and glasses before them. */
import type { FrameState } from '../clip.js';
import type { Identity } from '../identity.js';
import type { Projection } from './projection.js';
import { darker, degrees, element, path } from './svg.js';

const SIDES = [-1, 1] as const;

/** How far the lids are from the line between the corners of an eye, in head units. */
export function lidHeights(
  { eyeHalfWidth, eyeOpening }: Identity,
  { units }: FrameState,
): { upper: number; lower: number } {
  const open = 1 - units.eyesClosed;
  const whole = 2 * eyeHalfWidth * eyeOpening;
  const narrowing = Math.max(0.25, 1 - 0.45 * units.lidTightener);
  const upper = whole * 0.62 * narrowing * (1 + 0.75 * units.upperLidRaiser);
  const lower =
    whole * 0.38 * (1 - 0.4 * units.lidTightener - 0.55 * units.cheekRaiser + 0.25 * units.upperLidRaiser);
  // A closing eye meets a little below its middle.
  return { upper: upper * open - lower * 0.6 * (1 - open), lower: Math.max(0, lower) * (0.6 + 0.4 * open) };
}

/** @param id distinguishes this frame's clip paths from those of others in the same picture. */
export function drawEyes(identity: Identity, frame: FrameState, seen: Projection, id: string): string {
  const { eyeX, eyeY, eyeHalfWidth, eyeSlant, skin, iris } = identity;
  const { upper, lower } = lidHeights(identity, frame);
  const lash = darker(skin, 0.78);
  const irisRadius = eyeHalfWidth * 0.5;
  return SIDES.map((side) => {
    const [x, y] = seen.point(side * eyeX, eyeY, -0.04);
    const w = eyeHalfWidth;
    const upperLid = path('M', -w, 0, 'Q', 0, -2 * upper, w, 0);
    const shape = `${upperLid} ${path('Q', 0, 2 * lower, -w, 0, 'Z')}`;
    const clip = `${id}${side < 0 ? 'l' : 'r'}`;
    const gazeX = frame.gaze[0] * w * 0.6;
    const gazeY = frame.gaze[1] * irisRadius * 0.7 + 0.12 * (lower - upper);
    const ball =
      element('path', { d: shape, fill: '#fbfaf7' }) +
      element('circle', { cx: gazeX, cy: gazeY, r: irisRadius, fill: iris }) +
      element('circle', { cx: gazeX, cy: gazeY, r: irisRadius * 0.52, fill: '#120c0a' }) +
      element('circle', { cx: gazeX - 1.6, cy: gazeY - 1.9, r: 1.2, fill: '#ffffff', 'fill-opacity': 0.85 }) +
      element('path', {
        d: upperLid,
        fill: 'none',
        stroke: '#000000',
        'stroke-opacity': 0.16,
        'stroke-width': 5,
      });
    const crease = path(
      'M',
      -w * 0.95,
      -upper * 0.35 - 3,
      'Q',
      0,
      -2 * upper - 5.5,
      w * 0.95,
      -upper * 0.35 - 3,
    );
    const pouch = path('M', -w * 0.8, lower * 0.7 + 2.5, 'Q', 0, 2 * lower + 3.5, w * 0.8, lower * 0.7 + 2.5);
    const { cheekRaiser, lidTightener, noseWrinkler } = frame.units;
    const squeezed = Math.min(1, cheekRaiser + 0.6 * lidTightener + 0.4 * noseWrinkler);
    const line = { fill: 'none', stroke: darker(skin, 0.45), 'stroke-width': 1.2, 'stroke-linecap': 'round' };
    const slant = degrees(-side * eyeSlant);
    return element(
      'g',
      {
        transform: `translate(${x.toFixed(2)} ${y.toFixed(2)}) rotate(${slant.toFixed(2)}) scale(${seen.widthAt(side * eyeX).toFixed(3)} 1)`,
      },
      element('clipPath', { id: clip }, element('path', { d: shape })) +
        element('g', { 'clip-path': `url(#${clip})` }, ball) +
        element('path', { ...line, d: crease, 'stroke-opacity': 0.45 }) +
        element('path', { ...line, d: pouch, 'stroke-opacity': 0.15 + 0.6 * squeezed }) +
        element('path', {
          d: upperLid,
          fill: 'none',
          stroke: lash,
          'stroke-width': 2.3,
          'stroke-linecap': 'round',
        }) +
        element('path', {
          d: path('M', w, 0, 'Q', 0, 2 * lower, -w, 0),
          fill: 'none',
          stroke: lash,
          'stroke-width': 0.9,
          'stroke-opacity': 0.6,
        }),
    );
  }).join('');
}

/** Heights and nearness of a brow's three points, in head units: inner end, arch, outer end. */
export function browPoints(
  { eyeX, eyeY, eyeHalfWidth, browHeight, browArch, browSlant }: Identity,
  { units }: FrameState,
): { innerX: number; innerY: number; archX: number; archY: number; outerX: number; outerY: number } {
  const { innerBrowRaiser: inner, outerBrowRaiser: outer, browLowerer: lower, noseWrinkler: nose } = units;
  const level = eyeY - browHeight;
  return {
    innerX: eyeX - eyeHalfWidth * 0.95 - 3.2 * lower - 1.2 * nose,
    innerY: level + browSlant - 9 * inner + 9.5 * lower + 5 * nose,
    archX: eyeX + eyeHalfWidth * 0.2,
    archY: level - browArch - 4.5 * inner - 5.5 * outer + 6 * lower + 3.5 * nose,
    outerX: eyeX + eyeHalfWidth * 1.2,
    outerY: level - browSlant + 1.5 + 1.5 * inner - 7.5 * outer + 1.5 * lower + 1 * nose,
  };
}

export function drawBrows(identity: Identity, frame: FrameState, seen: Projection): string {
  const { innerX, innerY, archX, archY, outerX, outerY } = browPoints(identity, frame);
  return SIDES.map((side) => {
    const [ix, iy] = seen.point(side * innerX, innerY, 0.05);
    const [ax, ay] = seen.point(side * archX, archY, 0.05);
    const [ox, oy] = seen.point(side * outerX, outerY, 0);
    // The curve passes through the arch, so its handle lies beyond.
    return element('path', {
      d: path('M', ix, iy, 'Q', 2 * ax - (ix + ox) / 2, 2 * ay - (iy + oy) / 2, ox, oy),
      fill: 'none',
      stroke: darker(identity.hair, 0.25),
      'stroke-width': identity.browThickness,
      'stroke-linecap': 'round',
    });
  }).join('');
}

export function drawGlasses(identity: Identity, seen: Projection): string {
  const { glasses, roundGlasses, eyeX, eyeY, eyeHalfWidth, headHalfWidth } = identity;
  if (glasses === null) return '';
  const halfWidth = Math.min(eyeHalfWidth + 5.5, eyeX - 3);
  const halfHeight = roundGlasses ? halfWidth : halfWidth * 0.78;
  const line = { fill: 'none', stroke: glasses, 'stroke-width': 2.2 };
  const rims = SIDES.map((side) => {
    const [x, y] = seen.point(side * eyeX, eyeY + 1, 0.12);
    const w = halfWidth * seen.widthAt(side * eyeX);
    const [ex, ey] = seen.point(side * headHalfWidth * 0.97, eyeY - 2);
    return (
      element('rect', {
        ...line,
        ...{ x: x - w, y: y - halfHeight, width: 2 * w, height: 2 * halfHeight, rx: roundGlasses ? w : 4 },
        fill: '#ffffff',
        'fill-opacity': 0.1,
      }) + element('path', { ...line, d: path('M', x + side * w, y - 1, 'L', ex, ey) })
    );
  });
  const [left, right] = SIDES.map((side) => seen.point(side * (eyeX - halfWidth), eyeY, 0.14)) as [
    readonly [number, number],
    readonly [number, number],
  ];
  const bridge = path('M', left[0], left[1], 'Q', (left[0] + right[0]) / 2, left[1] - 4, right[0], right[1]);
  return rims.join('') + element('path', { ...line, d: bridge });
}
