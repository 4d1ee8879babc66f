/** Frames of a clip as one SVG: a column of frames, each cut to its square. */
import type { Clip, FrameState } from '../clip.js';
import { drawBackground, drawLight, lightGradient } from './background.js';
import { drawBrows, drawEyes, drawGlasses } from './eyes.js';
import { drawBeard, drawHairBehind, drawHairInFront } from './hair.js';
import { drawEars, drawNose, drawSkin, faceOutline } from './head.js';
import { drawFolds, drawMouth } from './mouth.js';
import { projection } from './projection.js';
import { darker, degrees, element, lighter, n, path } from './svg.js';

/** Edge of a frame in drawing units, with the origin in its middle. */
export const FRAME_UNITS = 200;
/** Where a head at rest is, and how large. */
const HEAD_Y = 2;
const HEAD_SCALE = 1.36;

function drawHead({ identity, scene }: Clip, frame: FrameState, id: string): string {
  const { x, y, scale, tilt } = frame.pose;
  const seen = projection(frame.pose, identity);
  const outline = faceOutline(identity, frame, seen);
  const shoulders =
    element('path', {
      d: path('M', -22, 40, 'L', -24, 84, 'Q', 0, 100, 24, 84, 'L', 22, 40, 'Z'),
      fill: darker(identity.skin, 0.2),
    }) +
    element('path', {
      d: path('M', -110, 180, 'Q', -106, 92, -29, 77, 'Q', 0, 103, 29, 77, 'Q', 106, 92, 110, 180, 'Z'),
      fill: scene.clothes,
    });
  const head =
    drawHairBehind(identity, seen) +
    drawEars(identity, seen) +
    element('path', {
      d: outline,
      fill: 'url(#skin)',
      stroke: darker(identity.skin, 0.4),
      'stroke-width': 1.2,
      'stroke-opacity': 0.5,
    }) +
    drawSkin(identity, frame, seen) +
    drawBeard(identity, frame, seen, outline, id) +
    drawFolds(identity, frame, seen) +
    drawNose(identity, frame, seen) +
    drawMouth(identity, frame, seen) +
    drawEyes(identity, frame, seen, id) +
    drawHairInFront(identity, seen) +
    drawBrows(identity, frame, seen) +
    drawGlasses(identity, seen);
  // The head leans about the neck; the shoulders follow by half of its way.
  const size = HEAD_SCALE * scale;
  const body = `translate(${n(x * 0.5)} ${n(HEAD_Y + y * 0.5)}) scale(${n(HEAD_SCALE)})`;
  return (
    element('g', { transform: body }, shoulders) +
    element(
      'g',
      {
        transform: `translate(${n(x)} ${n(HEAD_Y + y)}) rotate(${n(degrees(tilt))} 0 80) scale(${size.toFixed(4)})`,
      },
      head,
    )
  );
}

function definitions(clip: Clip): string {
  const { skin } = clip.identity;
  const skinGradient = element(
    'radialGradient',
    { id: 'skin', cx: '0.5', cy: '0.42', r: '0.62' },
    element('stop', { offset: '0', 'stop-color': lighter(skin, 0.12) }) +
      element('stop', { offset: '0.65', 'stop-color': skin }) +
      element('stop', { offset: '1', 'stop-color': darker(skin, 0.16) }),
  );
  return element('defs', {}, skinGradient + lightGradient(clip.scene) + drawBackground(clip.scene));
}

/**
 * @param frames those of the clip's frames that are wanted, from top to bottom
 * @param size edge of a frame in pixels; the picture is `size` wide and as many times as high as there are frames
 */
export function clipPicture(clip: Clip, frames: readonly FrameState[], size: number): string {
  const half = FRAME_UNITS / 2;
  const rows = frames.map((frame, row) =>
    element(
      'svg',
      {
        ...{ x: 0, y: row * size, width: size, height: size },
        viewBox: `${-half} ${-half} ${FRAME_UNITS} ${FRAME_UNITS}`,
        overflow: 'hidden',
      },
      element('use', { href: '#background' }) +
        drawHead(clip, frame, `c${row}`) +
        drawLight(frame.lightStrength),
    ),
  );
  return element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', width: size, height: frames.length * size },
    definitions(clip) + rows.join(''),
  );
}
