import { describe, expect, it } from 'vitest';
import { lgiFormer } from '@tubelet/mae-dfer';
import { metricsOfConfusion } from '@tubelet/trainer';
import { scoringProgress } from '../shared/scoring-progress.js';
import { formatClasses, formatMetrics } from './evaluate-summary.js';
import { publishedFor } from './published-results.js';

// Recalls 3/4 and 1/2; the third class does not occur.
const metrics = metricsOfConfusion(
  [
    [3, 1, 0],
    [1, 1, 0],
    [0, 0, 0],
  ],
  ['glad', 'sad', 'calm'],
);

describe('an evaluation on the console', () => {
  it('has the metrics, beside published ones where there are some', () => {
    expect(formatMetrics(metrics).split('\n').slice(0, 2)).toEqual([
      'UAR          62.50 %',
      'WAR          66.67 %',
    ]);
    const lines = formatMetrics(metrics, publishedFor('dfew', 1, 'test', lgiFormer('base'))).split('\n');
    expect(lines[0]).toMatch(/^ +UAR +WAR$/);
    expect(lines[1]).toMatch(/^measured +62\.50 % +66\.67 %$/);
    expect(lines[2]).toMatch(/^published for MAE-DFER base, fold 1 +62\.59 % +74\.88 %$/);
    expect(lines[3]).toMatch(/^published for MAE-DFER base, all folds +63\.41 % +74\.43 %$/);
    expect(lines.slice(4, 8).every((line) => line.startsWith('published for '))).toBe(true);
    expect(lines[8]).toBe('');
    expect(lines[9]).toMatch(/^weighted F1 +\d+\.\d\d %$/);
  });

  it('has a row for each class, with a dash where there is nothing to say', () => {
    expect(formatClasses(metrics).split('\n')).toEqual([
      'class  videos   recall  precision       F1',
      'glad        4  75.00 %    75.00 %  75.00 %',
      'sad         2  50.00 %    50.00 %  50.00 %',
      'calm        0        –          –        –',
    ]);
    const published = {
      title: 'of theirs',
      uarPercent: 0,
      warPercent: 0,
      classRecallPercent: [92.92, 77.46, 74.56],
    };
    expect(formatClasses(metrics, [published]).split('\n')[2]).toMatch(/50\.00 % +77\.46 %$/);
  });
});

describe('the progress of scoring', () => {
  it('is told every ten seconds, with the speed of late', () => {
    let now = 0;
    const lines: string[] = [];
    const progress = scoringProgress(
      (line) => lines.push(line),
      () => now,
    );
    for (const [seconds, scored] of [
      [4, 8],
      [9, 16],
      [12, 24],
      [21, 40],
      [23, 48],
    ] as const) {
      now = 1000 * seconds;
      progress(scored, 100);
    }
    expect(lines).toEqual([
      '24 of 100 clips scored  2.00 clips/s  ETA 38s',
      '48 of 100 clips scored  2.11 clips/s  ETA 25s',
    ]);
  });
});
