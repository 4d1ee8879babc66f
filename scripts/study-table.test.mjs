import { expect, it } from 'vitest';
import { studyTable, summarise } from './lib/study-table.mjs';

const row = (seed, pretrained, scratch) => ({
  seed,
  pretrained: { uar: pretrained, war: pretrained + 0.01 },
  scratch: { uar: scratch, war: scratch },
});

it('gives means, deviations of a sample, and the gap within each seed', () => {
  const { uar, war } = summarise([row(0, 0.5, 0.2), row(1, 0.7, 0.1)]);
  expect(uar.pretrained.mean).toBeCloseTo(0.6, 12);
  expect(uar.pretrained.deviation).toBeCloseTo(Math.SQRT2 * 0.1, 12);
  expect(uar.gap.mean).toBeCloseTo(0.45, 12);
  expect(war.gap.mean).toBeCloseTo(0.46, 12);
  expect(summarise([row(0, 0.5, 0.2)]).uar.gap.deviation).toBe(0);
});

it('prints a line for each seed and one for all', () => {
  const rows = [row(0, 0.5, 0.2), row(1, 0.7, 0.1)];
  const lines = studyTable(rows, summarise(rows)).split('\n');
  expect(lines).toHaveLength(5);
  expect(lines[2]).toBe('| 0 | 50.00 | 20.00 | 30.00 | 51.00 | 20.00 | 31.00 |');
  expect(lines[4]).toContain('60.00 ± 14.14');
  const bars = new Set(lines.map((line) => line.split('|').length));
  expect(bars.size).toBe(1);
});
