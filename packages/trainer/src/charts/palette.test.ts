import { describe, expect, it } from 'vitest';
import { CLASS_COLOURS, classColour, classSymbol } from './palette.js';

type Triple = readonly [number, number, number];
type Matrix = readonly [Triple, Triple, Triple];

/** Full deficiencies on linear RGB, from Machado, Oliveira and Fernandes (2009). */
const VISIONS: Readonly<Record<string, Matrix>> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

const XYZ_OF_RGB: Matrix = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
];

function times(matrix: Matrix, [a, b, c]: Triple): Triple {
  const row = ([x, y, z]: Triple): number => x * a + y * b + z * c;
  return [row(matrix[0]), row(matrix[1]), row(matrix[2])];
}

function mapped([a, b, c]: Triple, change: (value: number) => number): Triple {
  return [change(a), change(b), change(c)];
}

/** CIELAB of `#rrggbb` as someone with the given vision sees it. */
function lab(colour: string, vision: Matrix): Triple {
  const channel = (at: number): number => Number.parseInt(colour.slice(at, at + 2), 16) / 255;
  const linear = mapped([channel(1), channel(3), channel(5)], (v) =>
    v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4,
  );
  const seen = mapped(times(vision, linear), (v) => Math.min(1, Math.max(0, v)));
  const [x, y, z] = times(XYZ_OF_RGB, seen);
  const [fx, fy, fz] = mapped([x / 0.95047, y, z / 1.08883], (v) =>
    v > 216 / 24389 ? Math.cbrt(v) : ((24389 / 27) * v + 16) / 116,
  );
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)];
}

describe('classColour', () => {
  it.each(Object.keys(VISIONS))('tells eleven classes apart: %s', (name) => {
    const labs = CLASS_COLOURS.map((colour) => lab(colour, VISIONS[name]!));
    for (const [i, a] of labs.entries()) {
      // Against white too.
      for (const b of [...labs.slice(0, i), [100, 0, 0] as const]) {
        const distance = Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
        expect(distance, `${CLASS_COLOURS[i]} under ${name}`).toBeGreaterThan(15);
      }
    }
  });

  it('goes on after the eleventh with other colours', () => {
    const colours = Array.from({ length: 22 }, (_, i) => classColour(i));
    expect(new Set(colours).size).toBe(22);
    for (const colour of colours) expect(colour).toMatch(/^#[0-9a-fA-F]{6}$/);
  });
});

describe('classSymbol', () => {
  it('gives no two of 77 classes the same colour and symbol', () => {
    const pairs = Array.from({ length: 77 }, (_, i) => `${classColour(i % 11)} ${classSymbol(i)}`);
    expect(new Set(pairs).size).toBe(77);
  });
});
