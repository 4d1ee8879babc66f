import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../testing/videos.js';
import { openDataset } from './open.js';
import { problemsOf } from './testing/problems.js';

const folder = temporaryFolder();
afterAll(folder.remove);
let copies = 0;

/** A CSV file with these classes beside it. */
function write(text: string, classes: string | undefined = 'frown\nsmile\n') {
  const directory = join(folder.path, String(++copies));
  mkdirSync(directory);
  const root = join(directory, 'videos.csv');
  const classesFile = join(directory, 'classes.txt');
  writeFileSync(root, text);
  writeFileSync(classesFile, classes);
  const open = () => openDataset({ name: 'csv', root });
  return { directory, root, classesFile, open, problems: () => problemsOf(open) };
}

describe('a CSV file', () => {
  it('without folds is for training', async () => {
    const { root, directory, open } = write('path,label\na.mp4,smile\nsub/b,frown\n');
    const dataset = await open();
    expect(dataset).toMatchObject({ name: 'csv', title: 'CSV', root, classes: ['frown', 'smile'], folds: 1 });
    expect(dataset.split(1)).toEqual({
      train: [
        { id: 'a.mp4', path: join(directory, 'a.mp4'), label: 1, listedAt: 'videos.csv:2' },
        { id: 'sub/b', path: join(directory, 'sub/b'), label: 0, listedAt: 'videos.csv:3' },
      ],
      test: [],
    });
  });

  it('may have more rows with folds than a call takes arguments', async () => {
    const rows = Array.from({ length: 130_000 }, (_, i) => `${i},smile,${1 + (i % 2)}\n`).join('');
    const { folds, split } = await write(`path,label,fold\n${rows}`).open();
    expect([folds, split(2).test.length]).toEqual([2, 65_000]);
  });

  it('with folds tests each video in its own', async () => {
    const { open } = write(
      'subject,fold,label,path\nann,1,smile,a.mp4\n,2,frown,b.mp4\nbob,2,smile,c.mp4\nann,1,frown,d.mp4\n',
    );
    const dataset = await open();
    expect(dataset.folds).toBe(2);
    const { train, test } = dataset.split(2);
    expect(train.map(({ id, subject }) => [id, subject])).toEqual([
      ['a.mp4', 'ann'],
      ['d.mp4', 'ann'],
    ]);
    expect(test.map(({ id, subject }) => [id, subject])).toEqual([
      ['b.mp4', undefined],
      ['c.mp4', 'bob'],
    ]);
    expect('subject' in (test[0] as object)).toBe(false);
  });

  it('may hold quoted commas and quotes, a byte order mark, Windows line ends and empty lines', async () => {
    const { open } = write('\uFEFFpath,label\r\n"a, ""b"".mp4",smile\r\n\r\n c.mp4 , frown \r\n');
    const { train } = (await open()).split(1);
    expect(train.map(({ id, label, listedAt }) => [id, label, listedAt])).toEqual([
      ['a, "b".mp4', 1, 'videos.csv:2'],
      ['c.mp4', 0, 'videos.csv:4'],
    ]);
  });

  it('takes paths from the top, and labels by index where no class has that name', async () => {
    const elsewhere = join(folder.path, 'elsewhere.mp4');
    const { open, directory } = write(`path,label\n${elsewhere},0\n./x/../b.mp4,2\n`, 'one\ntwo\n0\n');
    expect((await open()).split(1).train).toMatchObject([
      { id: '../elsewhere.mp4', path: elsewhere, label: 2 },
      { id: 'b.mp4', path: join(directory, 'b.mp4'), label: 2 },
    ]);
  });

  it('takes the classes from another file', async () => {
    const { root } = write('path,label\na.mp4,angry\n');
    const classesFile = join(folder.path, 'other.txt');
    writeFileSync(classesFile, '\uFEFFcalm\r\nangry\r\n\r\n');
    const dataset = await openDataset({ name: 'csv', root, classesFile });
    expect(dataset.classes).toEqual(['calm', 'angry']);
  });
});

describe('what is wrong with a CSV file', () => {
  it('is listed with file and line, all of it', async () => {
    const { root, problems } = write(
      'path,label,fold\na.mp4,grin,1\n,smile,2\nb.mp4,2,2\nc.mp4,smile,0\nd.mp4,smile,\ne.mp4,smile\n' +
        'f.mp4,smile,1\n./f.mp4,smile,1\ng.mp4,smile,2\ng.mp4,smile,1\n',
    );
    expect(await problems()).toEqual([
      {
        where: `${root}:7`,
        problem: '2 values ("e.mp4", "smile") where the header names 3 columns',
        remedy: 'Give every column a value, and put values that hold commas into double quotes',
      },
      {
        where: `${root}:2`,
        problem: 'label "grin" is not a class',
        remedy: 'Give one of frown, smile, or an index from 0 to 1',
      },
      {
        where: `${root}:3`,
        problem: 'the path is empty',
        remedy: 'Give the video or folder of frames, relative to this file',
      },
      {
        where: `${root}:4`,
        problem: 'label "2" is not a class',
        remedy: 'Give one of frown, smile, or an index from 0 to 1',
      },
      {
        where: `${root}:5`,
        problem: 'fold is "0"',
        remedy: 'Give the number of the fold that tests on this video, 1 or more',
      },
      {
        where: `${root}:6`,
        problem: 'fold is ""',
        remedy: 'Give the number of the fold that tests on this video, 1 or more',
      },
      {
        where: `${root}:9`,
        problem: `f.mp4 is listed again (first at ${root}:8)`,
        remedy: 'Remove one of the two lines',
      },
      {
        where: `${root}:11`,
        problem: `g.mp4 is in fold 1 and in fold 2 (${root}:10), so that it would be in the train and the test part at once`,
        remedy: 'Keep one of the two lines',
      },
    ]);
  });

  it.each([
    ['', 'the file is empty'],
    ['path,label\n', 'it lists no video'],
    ['path,class\na.mp4,smile\n', 'the header "path", "class" lacks "label"'],
    ['a.mp4,smile\n', 'the header "a.mp4", "smile" lacks "path", "label"'],
    ['path,label,folds\na.mp4,smile,1\n', '"folds" is not a column of this format'],
    ['path,label,path\na.mp4,smile,b.mp4\n', 'the column "path" is there twice'],
    ['path,label,fold\na.mp4,smile,1\nb.mp4,smile,3\n', 'no video is in fold 2 of 3'],
    ['path,label,fold\na.mp4,smile,1\n', 'all videos are in fold 1, which leaves none to train on'],
  ])('is told of %j', async (text, problem) => {
    const found = await write(text).problems();
    expect(found.map((entry) => entry.problem)).toContain(problem);
  });

  it('is told of a pipe in its place, which is not waited for', async () => {
    const { root, open } = write('');
    rmSync(root);
    execFileSync('mkfifo', [root]);
    await expect(open()).rejects.toThrow(/videos\.csv: it cannot be read \(it is a pipe/);
  });

  it('is told of more classes than there can be', async () => {
    const classes = Array.from({ length: 20_000 }, (_, i) => `c${i}\n`).join('');
    await expect(write('path,label\na,c1\n', classes).open()).rejects.toThrow(/it names 20000 classes/);
  });

  it('is told in few words', async () => {
    const { open } = write(`path,label\na.mp4,${'x'.repeat(1e5)}\n`);
    await expect(open()).rejects.toThrow(/^.{0,1500}$/s);
  });

  it('is told of quotes that do not close', async () => {
    const { root, problems } = write('path,label\na.mp4,smile\n"b.mp4,smile\n');
    expect(await problems()).toMatchObject([
      {
        where: expect.stringMatching(/videos\.csv:\d$/) as string,
        problem: expect.stringContaining('it is not comma-separated text') as string,
      },
    ]);
    expect((await problems())[0]?.where.startsWith(root)).toBe(true);
  });

  it('is told when there is no such file, or it is a folder', async () => {
    const { directory } = write('path,label\n');
    const missing = join(directory, 'nothing.csv');
    expect(await problemsOf(() => openDataset({ name: 'csv', root: missing }))).toMatchObject([
      {
        where: missing,
        problem: 'there is no such file',
        remedy: expect.stringContaining('path,label') as string,
      },
    ]);
    expect(await problemsOf(() => openDataset({ name: 'csv', root: directory }))).toEqual([
      {
        where: directory,
        problem: 'it is a folder',
        remedy: `Give the file in it: ${join(directory, 'videos.csv')}`,
      },
    ]);
    const empty = join(directory, 'empty');
    mkdirSync(empty);
    expect((await problemsOf(() => openDataset({ name: 'csv', root: empty })))[0]?.remedy).toContain(
      'path,label',
    );
  });

  it.each([
    ['a\n\nb\n', [[2, 'the line is empty']]],
    ['a\nb\na\n', [[3, 'class "a" is there again (first in line 1)']]],
    ['a\n', [[undefined, 'it names fewer than two classes']]],
    ['', [[1, 'the line is empty']]],
  ])('is told of the classes %j, and the labels are not blamed', async (classes, expected) => {
    const { classesFile, problems } = write('path,label\nv.mp4,a\n', classes);
    expect((await problems()).filter(({ where }) => where.startsWith(classesFile))).toMatchObject(
      expected.map(([line, problem]) => ({
        where: line === undefined ? classesFile : `${classesFile}:${line}`,
        problem,
      })),
    );
  });

  it('is told when the classes are missing, once', async () => {
    const { root, directory } = write('path,label\nv.mp4,a\nw.mp4,b\n');
    const classesFile = join(directory, 'none.txt');
    expect(await problemsOf(() => openDataset({ name: 'csv', root, classesFile }))).toEqual([
      {
        where: classesFile,
        problem: 'there is no such file',
        remedy: 'Write the names of the classes into it, one a line in the order of their labels',
      },
    ]);
  });
});
