import { expect, it } from 'vitest';
import { largestGap, lossesOf, lossFall, smoothed, sparkline } from './loss-curve.js';

it('reads the losses of the steps', () => {
  const log = [
    { type: 'start', step: 0 },
    { type: 'step', step: 1, metrics: { loss: 0.5 } },
    { type: 'checkpoint', step: 1 },
    { type: 'step', step: 2, metrics: { loss: 'NaN' } },
  ];
  expect(lossesOf(log.map((record) => `${JSON.stringify(record)}\n`).join(''))).toEqual([0.5, NaN]);
});

it('compares the ends of a run', () => {
  expect(lossFall([4, 2, 9, 9, 1, 2], 2)).toEqual({ start: 3, end: 1.5 });
});

it('smooths a curve, passing over what is not a number', () => {
  expect(smoothed([1, 3, 5, NaN, 7], 2)).toEqual([2, 4, 5, 7]);
});

it('finds where curves are furthest apart', () => {
  const { gap, at } = largestGap([1, 2, 4], [1, 2.5, 3.8]);
  expect([gap, at]).toEqual([0.25, 1]);
  expect(largestGap([1, 2], [1, NaN])).toEqual({ gap: NaN, at: 1 });
});

it('draws a curve', () => {
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇█');
  expect(sparkline([0, 2, 7, 9, 1, 1], 3)).toBe('▁█▁');
  expect(sparkline([3, 3])).toBe('▁▁');
});
