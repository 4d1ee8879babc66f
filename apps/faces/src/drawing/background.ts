/** What is behind the head, and the light over everything. */
import type { Scene } from '../scene.js';
import { degrees, element, path } from './svg.js';

const WHOLE = { x: -100, y: -100, width: 200, height: 200 };
/** Half of the edge of a square that covers the frame at any angle. */
const REACH = 145;

function stripes(colour: string): string {
  const parts: (string | number)[] = [];
  for (let x = -REACH; x < REACH; x += 26) parts.push('M', x, -REACH, 'h', 13, 'v', 2 * REACH, 'h', -13, 'Z');
  return element('path', { d: path(...parts), fill: colour });
}

function dots(colour: string): string {
  const parts: string[] = [];
  for (let y = -REACH; y < REACH; y += 28) {
    for (let x = -REACH; x < REACH; x += 28)
      parts.push(element('circle', { cx: x, cy: y, r: 6.5, fill: colour }));
  }
  return parts.join('');
}

/** A group named `background`, to be used by every frame. */
export function drawBackground(scene: Scene): string {
  const { background, backgroundAngle, backgroundShapes } = scene;
  const [first, second] = scene.backgroundColours;
  const angle = degrees(backgroundAngle);
  const turned = (content: string) => element('g', { transform: `rotate(${angle.toFixed(1)})` }, content);
  const gradient = element(
    'linearGradient',
    { id: 'wall', gradientTransform: `rotate(${angle.toFixed(1)} 0.5 0.5)` },
    element('stop', { offset: '0', 'stop-color': first }) +
      element('stop', { offset: '1', 'stop-color': second }),
  );
  const fill = background === 'gradient' ? 'url(#wall)' : first;
  let pattern = '';
  if (background === 'stripes') pattern = turned(stripes(second));
  if (background === 'dots') pattern = turned(dots(second));
  if (background === 'shapes') {
    pattern = backgroundShapes
      .map(({ x, y, size, angle: turn, round, colour }) =>
        round
          ? element('circle', { cx: x, cy: y, r: size, fill: colour })
          : element('rect', {
              ...{ x: x - size, y: y - size * 0.6, width: 2 * size, height: 1.2 * size, fill: colour },
              transform: `rotate(${turn.toFixed(1)} ${x.toFixed(1)} ${y.toFixed(1)})`,
            }),
      )
      .join('');
  }
  const wall = element('rect', { ...WHOLE, fill }) + pattern;
  return (background === 'gradient' ? gradient : '') + element('g', { id: 'background' }, wall);
}

/** Light from one side and shade on the other, as the gradient `light`. */
export function lightGradient({ lightAngle }: Scene): string {
  return element(
    'linearGradient',
    { id: 'light', gradientTransform: `rotate(${degrees(lightAngle).toFixed(1)} 0.5 0.5)` },
    element('stop', { offset: '0', 'stop-color': '#ffffff', 'stop-opacity': 0.7 }) +
      element('stop', { offset: '0.45', 'stop-color': '#ffffff', 'stop-opacity': 0 }) +
      element('stop', { offset: '0.55', 'stop-color': '#000000', 'stop-opacity': 0 }) +
      element('stop', { offset: '1', 'stop-color': '#000000', 'stop-opacity': 0.9 }),
  );
}

/** @param strength how much of the gradient shows; around 0.25, whatever is below 0 shows none */
export function drawLight(strength: number): string {
  const opacity = Math.min(0.6, Math.max(0, 0.28 + strength));
  return element('rect', { ...WHOLE, fill: 'url(#light)', opacity });
}
