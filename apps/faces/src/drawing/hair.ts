/** Hair and beard. */
import type { FrameState } from '../clip.js';
import type { Identity } from '../identity.js';
import { jawDropHeight, mouthShape } from './mouth.js';
import type { Projection } from './projection.js';
import { darker, element, path } from './svg.js';

/** What hangs or stands behind the head. */
export function drawHairBehind(identity: Identity, seen: Projection): string {
  const { hairStyle, hair, headHalfWidth: w, crownY, chinY } = identity;
  const fill = darker(hair, 0.15);
  const [x] = seen.point(0, 0, -1.2);
  if (hairStyle === 'long') {
    const d = path(
      ...['M', x - w - 7, -10, 'C', x - w - 6, crownY - 22, x + w + 6, crownY - 22, x + w + 7, -10],
      ...['L', x + w + 10, chinY + 18, 'Q', x, chinY + 30, x - w - 10, chinY + 18, 'Z'],
    );
    return element('path', { d, fill });
  }
  if (hairStyle === 'bun') return element('circle', { cx: x * 0.4, cy: crownY - 10, r: 19, fill });
  if (hairStyle === 'curly') return curls(x * 0.5, w + 3, crownY + 4, [-10, 190], 11, 15, fill);
  return '';
}

/** Circles along an arc around the head, from one angle to another (degrees, counter-clockwise from the right). */
function curls(
  x: number,
  halfWidth: number,
  crownY: number,
  [from, to]: readonly [number, number],
  count: number,
  radius: number,
  fill: string,
): string {
  return Array.from({ length: count }, (_, i) => {
    const angle = ((from + ((to - from) * i) / (count - 1)) * Math.PI) / 180;
    const cx = x + halfWidth * Math.cos(angle);
    return element('circle', { cx, cy: -8 + (crownY + 8) * Math.sin(angle), r: radius, fill });
  }).join('');
}

/** What lies on the forehead and beside it. */
export function drawHairInFront(identity: Identity, seen: Projection): string {
  const { hairStyle, hair, headHalfWidth: w, crownY } = identity;
  const [x] = seen.point(0, -40, 0.1);
  const top = crownY - 9;
  /** From one temple over the crown to the other; `fringe` is the way back along the forehead. */
  const cap = (side: number, temple: number, ...fringe: (string | number)[]) =>
    element('path', {
      d: path(
        ...['M', -w - side, temple, 'C', -w - side - 1, top * 0.8, -w * 0.65, top, 0, top],
        ...['C', w * 0.65, top, w + side + 1, top * 0.8, w + side, temple],
        ...fringe,
        'Z',
      ),
      fill: hair,
    });
  const shine = element('path', {
    d: path('M', -w * 0.5 + x * 0.3, top + 14, 'Q', -w * 0.1, top + 4, w * 0.3 + x * 0.3, top + 9),
    ...{
      fill: 'none',
      stroke: '#ffffff',
      'stroke-opacity': 0.14,
      'stroke-width': 5,
      'stroke-linecap': 'round',
    },
  });
  switch (hairStyle) {
    case 'bald':
      return '';
    case 'cropped':
      return (
        cap(
          1,
          -14,
          'C',
          w - 3,
          -42,
          w * 0.7 + x,
          -50,
          x,
          -51,
          'C',
          -w * 0.7 + x,
          -50,
          -w + 3,
          -42,
          -w - 1,
          -14,
        ) + shine
      );
    case 'parted':
      return (
        cap(
          2,
          -8,
          'C',
          w - 2,
          -34,
          w * 0.5 + x,
          -40,
          -w * 0.35 + x,
          -60,
          'C',
          -w * 0.5 + x,
          -46,
          -w + 4,
          -40,
          -w - 2,
          -8,
        ) + shine
      );
    case 'fringe':
      return (
        cap(
          3,
          0,
          'C',
          w,
          -20,
          w * 0.85,
          -30,
          w * 0.7 + x,
          -33,
          'Q',
          x,
          -42,
          -w * 0.7 + x,
          -33,
          'C',
          -w * 0.85,
          -30,
          -w,
          -20,
          -w - 3,
          0,
        ) + shine
      );
    case 'long':
      return (
        cap(
          5,
          26,
          'C',
          w + 2,
          -20,
          w * 0.6 + x,
          -44,
          x,
          -60,
          'C',
          -w * 0.6 + x,
          -44,
          -w - 2,
          -20,
          -w - 5,
          26,
        ) + shine
      );
    case 'bun':
      return (
        cap(
          1,
          -10,
          'C',
          w - 2,
          -40,
          w * 0.5 + x,
          -56,
          x,
          -58,
          'C',
          -w * 0.5 + x,
          -56,
          -w + 2,
          -40,
          -w - 1,
          -10,
        ) + shine
      );
    case 'curly':
      return curls(x * 0.3, w - 5, crownY + 2, [12, 168], 9, 14, hair);
  }
}

/** Beard around the mouth: behind the mouth, before the face. */
export function drawBeard(
  identity: Identity,
  frame: FrameState,
  seen: Projection,
  outline: string,
  id: string,
): string {
  const { beard, hair } = identity;
  if (beard === 'none') return '';
  const { halfWidth, cornerY, upperY, upperLip } = mouthShape(identity, frame);
  const noseY = identity.eyeY + identity.noseLength;
  const [lx, ly] = seen.point(-halfWidth - 4, cornerY + 3);
  const [rx, ry] = seen.point(halfWidth + 4, cornerY + 3);
  const [tx, ty] = seen.point(0, noseY + 4.5, 0.1);
  const [ux, uy] = seen.point(0, upperY - upperLip, 0.08);
  const moustache = element('path', {
    d: path(
      'M',
      lx,
      ly,
      'Q',
      tx - halfWidth * 0.7,
      ty + 1,
      tx,
      ty,
      'Q',
      tx + halfWidth * 0.7,
      ty + 1,
      rx,
      ry,
      'Q',
      ux,
      uy - 2,
      lx,
      ly,
      'Z',
    ),
    fill: darker(hair, 0.1),
  });
  if (beard === 'moustache') return moustache;
  const { headHalfWidth: w, chinY } = identity;
  const bottom = chinY + jawDropHeight(frame) + 30;
  const [cx, cy] = seen.point(0, cornerY - 4);
  const region = path(
    ...['M', -w - 4, 0, 'L', -w + 7, 4, 'C', -w + 12, 30, cx - halfWidth - 16, cy, cx - halfWidth - 5, cy],
    ...['Q', tx - halfWidth * 0.8, ty + 1, tx, ty, 'Q', tx + halfWidth * 0.8, ty + 1, cx + halfWidth + 5, cy],
    ...[
      'C',
      cx + halfWidth + 16,
      cy,
      w - 12,
      30,
      w - 7,
      4,
      'L',
      w + 4,
      0,
      'L',
      w + 10,
      bottom,
      'L',
      -w - 10,
      bottom,
      'Z',
    ],
  );
  const opacity = beard === 'stubble' ? 0.28 : 1;
  return (
    element('clipPath', { id: `${id}b` }, element('path', { d: outline })) +
    element(
      'g',
      { 'clip-path': `url(#${id}b)` },
      element('path', { d: region, fill: darker(hair, 0.1), 'fill-opacity': opacity }),
    )
  );
}
