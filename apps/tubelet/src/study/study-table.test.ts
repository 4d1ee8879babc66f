import { expect, it } from 'vitest';
import type { Study } from './studies.js';
import {
  markdownTable,
  notesOf,
  studyFigures,
  testVideos,
  studyTable,
  type RowFigures,
} from './study-table.js';

type Figures = RowFigures['dataSets'][string];

const study: Study = {
  title: 'Epochs',
  columns: ['epochs'],
  reference: 0,
  rows: [
    { pretraining: null, label: ['0'], printed: { dfew: { uar: 15, war: 23 }, ferv39k: null } },
    { pretraining: 'epochs', label: ['50'], printed: { dfew: { uar: 62, war: 74 }, ferv39k: null } },
    { pretraining: 'epochs', label: ['70'], printed: { dfew: null, ferv39k: null } },
  ],
};
const result = (share: number, videos = 84) => ({ uar: share, war: share + 0.01, videos });
const results = [
  [result(0.2), result(0.1)],
  [result(0.5), result(0.7)],
  [null, null],
].map((dfew) => ({
  dfew,
}));

it('gives means, deviations of a sample, gaps within each seed and differences to what is printed', () => {
  const [first, second, third] = studyFigures(study, results, undefined).map(
    ({ dataSets }) => dataSets.dfew!,
  ) as [Figures, Figures, Figures];
  expect(second.uar.ours).toEqual({
    mean: expect.closeTo(60, 9),
    deviation: expect.closeTo(10 * Math.SQRT2, 9),
    seeds: 2,
  });
  expect(second.uar.gap!.mean).toBeCloseTo(45, 9);
  expect(second.uar.gap!.deviation).toBeCloseTo(15 * Math.SQRT2, 9);
  expect([second.uar.printed, second.uar.printedGap]).toEqual([62, 47]);
  expect(second.uar.difference).toBeCloseTo(-2, 9);
  expect(second.war.difference).toBeCloseTo(-13, 9);
  expect([first.uar.gap, first.uar.printedGap]).toEqual([null, null]);
  expect(third.uar).toEqual({ ours: null, gap: null, printed: null, printedGap: null, difference: null });
});

it('takes what one seed gives where another is not finished', () => {
  const some = [{ dfew: [result(0.2), null] }, { dfew: [result(0.5), result(0.7)] }, results[2]!];
  const { dataSets } = studyFigures(study, some, undefined)[1]!;
  expect(dataSets.dfew!.uar.gap).toEqual({ mean: expect.closeTo(30, 9), deviation: null, seeds: 1 });
});

it('never takes a difference between drawn faces and printed figures', () => {
  const faces = results.map(({ dfew }) => ({ faces: dfew }));
  const figures = studyFigures(study, faces, 'dfew');
  expect(figures[1]!.dataSets.faces!.uar).toMatchObject({ printed: 62, printedGap: 47, difference: null });
  expect(studyTable(study, figures, 'faces', true).head).not.toContain('difference');
  expect(notesOf(study, { isDrawn: true, seeds: 2, unfinished: 0, tested: {} })[0]).toMatch(/^DRAWN FACES/);
});

it('prints a line for each row, aligned', () => {
  const table = studyTable(study, studyFigures(study, results, undefined), 'dfew', false);
  const lines = markdownTable(table, 1).split('\n');
  expect(lines).toHaveLength(5);
  expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  expect(lines[3]).toMatch(
    /^\| 50 +\| 60\.00 ± 14\.14 \| \+45\.00 ± 21\.21 \| +62\.00 \| +\+47\.00 \| +-2\.00 \|/,
  );
  expect(lines[4]).toMatch(/^\| 70 +\|( +– \|){10}$/);
  expect(notesOf(study, { isDrawn: false, seeds: 2, unfinished: 2, tested: {} }).join(' ')).toContain(
    '2 runs are not finished',
  );
});

it('says how many videos were tested', () => {
  const rows = [{ dfew: [result(0.2, 2341), null], ferv39k: [result(0.2, 7847), result(0.3, 7846)] }];
  expect(testVideos(rows)).toEqual({ dfew: [2341], ferv39k: [7846, 7847] });
  const notes = (tested: Record<string, number[]>) =>
    notesOf(study, { isDrawn: false, seeds: 2, unfinished: 0, tested }).join(' ');
  expect(notes({ 'DFEW fold 1': [2341], FERV39k: [7846, 7847] })).toContain(
    'Videos of a test: 2,341 (DFEW fold 1), 7,846 or 7,847 (FERV39k).',
  );
  expect(notes(testVideos([{ dfew: [null] }]))).not.toContain('Videos of a test');
});
