import { expect, it } from 'vitest';
import { lossesOf, lossFall, sparkline } from './loss-curve.mjs';

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

it('draws a curve', () => {
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇█');
  expect(sparkline([0, 2, 7, 9, 1, 1], 3)).toBe('▁█▁');
  expect(sparkline([3, 3])).toBe('▁▁');
});
