import { describe, expect, it } from 'vitest';
import { predictionWriter, type FormatOptions, type Prediction } from './predict-format.js';

const options: FormatOptions = {
  classNames: ['glad', 'calm, or "bored"', 'sad'],
  labelled: false,
  windowed: false,
  people: false,
  top: 3,
  single: false,
};
const prediction: Prediction = {
  path: 'clips/a.mp4',
  probabilities: [0.1, 0.7 + 1e-9, 0.2 - 1e-9],
  predicted: 1,
  clips: 2,
};
const window = { startSeconds: 1.5, endSeconds: 3 };

describe('text', () => {
  it('of a single video lists classes with bars, the likeliest first', () => {
    const { header, format } = predictionWriter('text', { ...options, single: true });
    expect(header).toBe('');
    expect(format(prediction)).toBe(
      [
        'clips/a.mp4, mean of 2 clips:',
        `  calm, or "bored"   70.0 %  ${'█'.repeat(21)}`,
        `  sad                20.0 %  ${'█'.repeat(6)}`,
        `  glad               10.0 %  ${'█'.repeat(3)}`,
        '',
      ].join('\n'),
    );
  });

  it('of many videos is a line for each, with the likeliest classes', () => {
    const { format } = predictionWriter('text', { ...options, top: 2 });
    expect(format({ ...prediction, label: '3' })).toBe(
      'clips/a.mp4 (label 3): calm, or "bored" 70.0 %, sad 20.0 %\n',
    );
  });

  it('of windows is a line for each below the name of their video', () => {
    const { format } = predictionWriter('text', { ...options, windowed: true, top: 1 });
    const line = '   1.50 s –   3.00 s  calm, or "bored" 70.0 %\n';
    expect(format({ ...prediction, window })).toBe(`clips/a.mp4:\n${line}`);
    expect(format({ ...prediction, window })).toBe(line);
    expect(format({ ...prediction, path: 'b.mp4', window })).toBe(`b.mp4:\n${line}`);
  });
});

describe('JSON lines', () => {
  it('are one record for each prediction', () => {
    const { header, format } = predictionWriter('jsonl', options);
    expect(header).toBe('');
    expect(format({ ...prediction, window, label: 'sad' })).toMatch(/^\{[^\n]*\}\n$/);
    expect(JSON.parse(format({ ...prediction, window, label: 'sad' }))).toEqual({
      path: 'clips/a.mp4',
      label: 'sad',
      startSeconds: 1.5,
      endSeconds: 3,
      predicted: 'calm, or "bored"',
      probabilities: { glad: 0.1, 'calm, or "bored"': 0.7, sad: 0.2 },
      clips: 2,
    });
    expect(Object.keys(JSON.parse(format(prediction)) as object)).toEqual([
      'path',
      'predicted',
      'probabilities',
      'clips',
    ]);
  });
});

describe('CSV', () => {
  it('has a column for each class, for labels and for windows where there are any', () => {
    const plain = predictionWriter('csv', options);
    expect(plain.header).toBe('path,predicted,p_glad,"p_calm, or ""bored""",p_sad,clips\n');
    expect(plain.format(prediction)).toBe('clips/a.mp4,"calm, or ""bored""",0.1,0.7,0.2,2\n');
    const full = predictionWriter('csv', { ...options, labelled: true, windowed: true });
    expect(full.header).toMatch(/^path,label,start_seconds,end_seconds,predicted,/);
    expect(full.format({ ...prediction, window })).toMatch(/^clips\/a\.mp4,,1\.5,3,/);
    expect(full.format({ ...prediction, window, label: 'x' })).toMatch(/^clips\/a\.mp4,x,1\.5,3,/);
  });
});
