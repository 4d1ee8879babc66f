import { describe, expect, it } from 'vitest';
import type { RunFolder } from '../run/run-folder.js';
import type { LogRecord } from '../run/run-log.js';
import { BadFiles } from './bad-files.js';

function setUp() {
  const notes: string[] = [];
  const records: LogRecord[] = [];
  const run = { log: { append: (record: LogRecord) => records.push(record) } } as unknown as RunFolder;
  return { notes, records, run, badFiles: new BadFiles({ note: (message) => notes.push(message) }) };
}

const file = (name: string) => ({ path: `/videos/${name}`, reason: 'no video' });

describe('BadFiles', () => {
  it('logs each file once, whether it was found before there was a log or after', () => {
    const { notes, records, run, badFiles } = setUp();
    let completedSteps = 0;
    badFiles.report(file('a.mp4'));
    badFiles.logTo(run, () => completedSteps);
    completedSteps = 7;
    badFiles.report(file('b.mp4'));
    badFiles.report(file('a.mp4'));
    expect(records).toEqual([
      { type: 'bad-file', step: 0, ...file('a.mp4') },
      { type: 'bad-file', step: 7, ...file('b.mp4') },
    ]);
    expect(notes).toEqual(['cannot use /videos/a.mp4: no video', 'cannot use /videos/b.mp4: no video']);
    expect(badFiles.count).toBe(2);
  });

  it('does not fill the terminal with files whose names are not those of videos', () => {
    const { notes, records, run, badFiles } = setUp();
    badFiles.leaveOut(Array.from({ length: 8 }, (_, i) => file(`${i}.txt`)));
    badFiles.logTo(run, () => 0);
    expect(notes).toHaveLength(6);
    expect(notes[0]).toContain('/videos/0.txt');
    expect(notes[5]).toMatch(/3 more.*log/);
    expect(records.map(({ path }) => path)).toContain('/videos/7.txt');
    expect(records).toHaveLength(8);
  });

  it('does not speak of a log where there is none', () => {
    const notes: string[] = [];
    const badFiles = new BadFiles({ note: (message) => notes.push(message) }, false);
    badFiles.leaveOut(Array.from({ length: 7 }, (_, i) => file(`${i}.txt`)));
    expect(notes.at(-1)).toBe('leaving out 2 more');
  });
});
