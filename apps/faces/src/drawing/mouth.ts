/** Mouth, chin and the folds beside them. */
import type { FrameState } from '../clip.js';
import type { Identity } from '../identity.js';
import type { Projection } from './projection.js';
import { darker, element, mix, path } from './svg.js';

/** A mouth in head units: corners, the middles of both edges of the opening, and the thickness of the lips. */
export interface MouthShape {
  readonly halfWidth: number;
  readonly cornerY: number;
  readonly upperY: number;
  readonly lowerY: number;
  readonly upperLip: number;
  readonly lowerLip: number;
}

/** How far the chin goes down with the jaw. */
export function jawDropHeight({ units }: FrameState): number {
  return 11 * units.jawDrop;
}

export function mouthShape(identity: Identity, { units }: FrameState): MouthShape {
  const { mouthY, mouthHalfWidth, mouthCurve, lipThickness } = identity;
  const gap = 2.5 * units.lipsPart + 5 * units.lipsPart * units.lipCornerPuller + 25 * units.jawDrop;
  const thinness = Math.max(0.2, 1 - 0.85 * units.lipPressor);
  // The parted lips of a snarl bare the upper teeth only.
  const upperY =
    mouthY +
    1.5 * units.lipCornerPuller -
    6.5 * units.upperLipRaiser -
    2 * units.chinRaiser -
    2.5 * units.jawDrop;
  return {
    halfWidth:
      mouthHalfWidth +
      7.5 * units.lipCornerPuller +
      5 * units.lipStretcher -
      4.5 * units.lipPressor -
      6 * units.jawDrop,
    cornerY:
      mouthY -
      mouthCurve -
      9.5 * units.lipCornerPuller +
      9 * units.lipCornerDepressor +
      1.5 * units.chinRaiser +
      6 * units.jawDrop,
    upperY,
    lowerY: upperY + gap + 3.5 * units.upperLipRaiser * units.lipsPart,
    upperLip: lipThickness * thinness,
    lowerLip: lipThickness * 1.35 * thinness + 1.2 * units.chinRaiser,
  };
}

export function drawMouth(identity: Identity, frame: FrameState, seen: Projection): string {
  const shape = mouthShape(identity, frame);
  const { halfWidth: w, cornerY, upperY, lowerY, upperLip, lowerLip } = shape;
  const lip = mix(identity.skin, '#a8323f', 0.42);
  const [lx, ly] = seen.point(-w, cornerY);
  const [rx, ry] = seen.point(w, cornerY);
  /** A curve from corner to corner (or back) whose middle is at the height `y`. */
  const curve = (y: number, back = false): string => {
    const [x, middle] = seen.point(0, y, 0.06);
    const handle = [2 * x - (lx + rx) / 2, 2 * middle - (ly + ry) / 2] as const;
    return back ? path('Q', ...handle, lx, ly) : path('Q', ...handle, rx, ry);
  };
  const start = path('M', lx, ly);
  const [bowX, bowY] = seen.point(0, upperY - upperLip * 0.8, 0.06);
  const [peakLX, peakLY] = seen.point(-w * 0.24, upperY - upperLip * 1.5, 0.06);
  const [peakRX, peakRY] = seen.point(w * 0.24, upperY - upperLip * 1.5, 0.06);
  const lips = `${start} ${path('Q', peakLX - w * 0.22, peakLY, peakLX, peakLY, 'Q', bowX - 2, bowY, bowX, bowY)} ${path('Q', bowX + 2, bowY, peakRX, peakRY, 'Q', peakRX + w * 0.22, peakRY, rx, ry)} ${curve(lowerY + lowerLip, true)} Z`;
  const opening = `${start} ${curve(upperY)} ${curve(lowerY, true)} Z`;
  const gap = lowerY - upperY;
  const teeth = `${start} ${curve(upperY)} ${curve(upperY + Math.min(gap * 0.62, 7.5), true)} Z`;
  const { units } = frame;
  const shown = gap > 1.2 && units.lipCornerPuller + units.upperLipRaiser + 0.5 * units.lipStretcher > 0.12;
  const [tongueX, tongueY] = seen.point(0, lowerY - gap * 0.06);
  const tongue =
    gap > 12
      ? element('ellipse', {
          cx: tongueX,
          cy: tongueY - gap * 0.04,
          rx: w * 0.45,
          ry: gap * 0.16,
          fill: '#b4505a',
        })
      : '';
  const [dimpleX, dimpleY] = seen.point(0, lowerY + lowerLip + 5);
  return (
    element('path', { d: lips, fill: lip, stroke: darker(lip, 0.25), 'stroke-width': 0.7 }) +
    element('path', { d: opening, fill: '#4a1418' }) +
    tongue +
    (shown ? element('path', { d: teeth, fill: '#fdfaf3' }) : '') +
    element('path', {
      d: opening,
      fill: 'none',
      stroke: darker(lip, 0.6),
      'stroke-width': 1.5,
      'stroke-linejoin': 'round',
    }) +
    element('path', {
      d: path(
        'M',
        dimpleX - 7,
        dimpleY,
        'Q',
        dimpleX,
        dimpleY - 3 - 3 * units.chinRaiser,
        dimpleX + 7,
        dimpleY,
      ),
      fill: 'none',
      stroke: darker(identity.skin, 0.4),
      'stroke-width': 1.3,
      'stroke-opacity': 0.3 + 0.5 * Math.min(1, units.chinRaiser),
    })
  );
}

/** Folds from the nose to the corners of the mouth, which deepen with a smile and a snarl. */
export function drawFolds(identity: Identity, frame: FrameState, seen: Projection): string {
  const { units } = frame;
  const depth = Math.min(
    1,
    0.25 * identity.age +
      0.55 * units.lipCornerPuller +
      0.8 * units.upperLipRaiser +
      0.4 * units.noseWrinkler,
  );
  const { halfWidth, cornerY } = mouthShape(identity, frame);
  const noseY = identity.eyeY + identity.noseLength;
  return [-1, 1]
    .map((side) => {
      const [x, y] = seen.point(
        side * (identity.noseHalfWidth + 3),
        noseY - 4 - 3 * units.noseWrinkler,
        0.05,
      );
      const [mx, my] = seen.point(side * (halfWidth + 7), (noseY + cornerY) / 2 - 2);
      const [ex, ey] = seen.point(side * (halfWidth + 5.5), cornerY + 1);
      return element('path', {
        d: path('M', x, y, 'Q', mx, my, ex, ey),
        fill: 'none',
        stroke: darker(identity.skin, 0.42),
        'stroke-width': 1.6,
        'stroke-linecap': 'round',
        'stroke-opacity': 0.12 + 0.7 * depth,
      });
    })
    .join('');
}
