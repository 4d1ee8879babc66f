/** Head, ears, nose, cheeks and wrinkles. */
import type { FrameState } from '../clip.js';
import type { Identity } from '../identity.js';
import { jawDropHeight } from './mouth.js';
import type { Projection } from './projection.js';
import { darker, element, lighter, mix, path } from './svg.js';

/** The outline of the face as path data: crown, temples, jaw, chin. */
export function faceOutline(identity: Identity, frame: FrameState, seen: Projection): string {
  const { headHalfWidth: w, jawHalfWidth: jaw, crownY } = identity;
  const chinY = identity.chinY + jawDropHeight(frame);
  // The outline turns less than what is on it; only the chin comes along with a nod.
  const [chinX, chin] = seen.point(0, chinY, 0.55);
  const shift = chinX * 0.35;
  const bottom = chinY + (chin - chinY) * 0.35;
  const jawY = chinY - 26;
  return path(
    ...['M', -w, -8],
    ...['C', -w, crownY * 0.75, -w * 0.62, crownY, 0, crownY],
    ...['C', w * 0.62, crownY, w, crownY * 0.75, w, -8],
    ...['C', w, 18, jaw + 6 + shift * 0.5, jawY - 6, jaw + shift * 0.7, jawY],
    ...['C', jaw - 8 + shift, bottom - 6, 14 + shift, bottom, shift, bottom],
    ...['C', -14 + shift, bottom, -jaw + 8 + shift, bottom - 6, -jaw + shift * 0.7, jawY],
    ...['C', -jaw - 6 + shift * 0.5, jawY - 6, -w, 18, -w, -8, 'Z'],
  );
}

export function drawEars(identity: Identity, seen: Projection): string {
  const { headHalfWidth, earSize, skin } = identity;
  return [-1, 1]
    .map((side) => {
      const [x, y] = seen.point(side * headHalfWidth * 1.02, 2, -0.4);
      const fill = darker(skin, 0.08);
      return (
        element('ellipse', { cx: x, cy: y, rx: earSize * 0.62, ry: earSize * 1.15, fill }) +
        element('ellipse', { cx: x, cy: y, rx: earSize * 0.3, ry: earSize * 0.7, fill: darker(skin, 0.25) })
      );
    })
    .join('');
}

export function drawNose(identity: Identity, frame: FrameState, seen: Projection): string {
  const { eyeY, noseLength, noseHalfWidth: w, skin } = identity;
  const wrinkled = frame.units.noseWrinkler;
  const tipY = eyeY + noseLength - 3 * wrinkled;
  const [tipX, tip] = seen.point(0, tipY - 3, 0.42);
  const [rootX, root] = seen.point(-w * 0.35, eyeY + 4, 0.1);
  const flare = w * (1 + 0.15 * wrinkled);
  const shade = darker(skin, 0.35);
  const line = { fill: 'none', stroke: shade, 'stroke-linecap': 'round' };
  const nostrils = [-1, 1].map((side) => {
    const [x, y] = seen.point(side * flare * 0.5, tipY + 1 - 2 * wrinkled, 0.28);
    return element('ellipse', { cx: x, cy: y, rx: w * 0.22, ry: w * 0.15, fill: darker(skin, 0.62) });
  });
  const wings = [-1, 1].map((side) => {
    const [x, y] = seen.point(side * flare, tipY - 2 - 2.5 * wrinkled, 0.2);
    return element('path', {
      ...line,
      d: path('M', x - side * 1.5, y - 5, 'Q', x + side * 2, y, x - side * 3, y + 3.5),
      'stroke-width': 1.6,
    });
  });
  const wrinkles = [0, 1, 2].map((row) => {
    const [x, y] = seen.point(0, eyeY + 1 + 4 * row, 0.15);
    const halfWidth = 4.5 + row;
    return element('path', {
      ...line,
      d: path('M', x - halfWidth, y - 1, 'Q', x, y + 2, x + halfWidth, y - 1),
      'stroke-width': 1.3,
      'stroke-opacity': Math.min(0.8, 0.8 * wrinkled),
    });
  });
  return (
    element('path', {
      ...line,
      d: path(
        'M',
        rootX,
        root,
        'Q',
        rootX + (tipX - rootX) * 0.4 - 2,
        (root + tip) / 2 + 4,
        tipX - w * 0.55,
        tip - 1,
      ),
      'stroke-width': 1.7,
      'stroke-opacity': 0.55,
    }) +
    element('ellipse', {
      cx: tipX,
      cy: tip - 1,
      rx: w * 0.62,
      ry: w * 0.5,
      fill: lighter(skin, 0.22),
      'fill-opacity': 0.6,
    }) +
    nostrils.join('') +
    wings.join('') +
    (wrinkled > 0.05 ? wrinkles.join('') : '')
  );
}

/** Cheeks, freckles, and the lines of forehead and brow. */
export function drawSkin(identity: Identity, frame: FrameState, seen: Projection): string {
  const { skin, eyeX, eyeY, eyeHalfWidth, browHeight, age } = identity;
  const { units } = frame;
  const raised = Math.max(units.innerBrowRaiser, units.outerBrowRaiser);
  const line = { fill: 'none', stroke: darker(skin, 0.4), 'stroke-width': 1.4, 'stroke-linecap': 'round' };
  const parts: string[] = [];
  for (const side of [-1, 1]) {
    const [x, y] = seen.point(side * (eyeX + eyeHalfWidth * 0.6), eyeY + 24 - 4 * units.cheekRaiser, 0.05);
    const blush = {
      fill: mix(skin, '#d0463f', 0.45),
      'fill-opacity': 0.22 + 0.3 * Math.min(1, units.cheekRaiser),
    };
    parts.push(element('ellipse', { cx: x, cy: y, rx: 12, ry: 8, ...blush }));
    if (identity.freckles) {
      for (const [dx, dy] of [
        [-6, -3],
        [-1, 1],
        [4, -4],
        [7, 2],
        [-4, 4],
      ] as const) {
        parts.push(
          element('circle', {
            cx: x + dx,
            cy: y + dy,
            r: 1.1,
            fill: darker(skin, 0.35),
            'fill-opacity': 0.6,
          }),
        );
      }
    }
    if (units.browLowerer > 0.05) {
      const [fx, fy] = seen.point(side * 4, eyeY - browHeight + 4, 0.1);
      const d = path('M', fx, fy - 6, 'Q', fx - side * 1.5, fy, fx + side * 0.5, fy + 5);
      parts.push(element('path', { ...line, d, 'stroke-opacity': Math.min(0.85, 0.85 * units.browLowerer) }));
    }
  }
  for (const row of [0, 1]) {
    const [x, y] = seen.point(0, eyeY - browHeight - 16 - 8 * row, 0);
    const halfWidth = 22 - 3 * row;
    parts.push(
      element('path', {
        ...line,
        d: path('M', x - halfWidth, y + 1, 'Q', x, y - 3, x + halfWidth, y + 1),
        'stroke-opacity': Math.min(0.7, 0.15 * age + 0.6 * raised),
      }),
    );
  }
  return parts.join('');
}
