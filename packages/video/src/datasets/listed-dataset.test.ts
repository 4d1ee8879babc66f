import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../testing/videos.js';
import { openDataset } from './open.js';
import type { PublishedName } from './protocols.js';
import { writeMiniature } from './testing/miniature.js';
import { problemsOf } from './testing/problems.js';

const folder = temporaryFolder();
afterAll(folder.remove);
let copies = 0;

/** A fresh miniature, and the problems of a fold of it once `change` has been made. */
async function miniature(name: PublishedName) {
  const { root } = await writeMiniature(name, join(folder.path, `${name}-${++copies}`), { frames: 1 });
  const dataset = await openDataset({ name, root });
  return { root, dataset, problems: (fold = 1) => problemsOf(() => dataset.split(fold)) };
}

const dfewFile = (root: string, part: string, fold = 1) =>
  join(root, `EmoLabel_DataSplit/${part}(single-labeled)/set_${fold}.csv`);

describe('DFEW', () => {
  it('pads the numbers of clips and counts labels from 0', async () => {
    const { root, dataset } = await miniature('dfew');
    expect(dataset.split(1).test.slice(0, 2)).toEqual([
      {
        id: 'Clip/jpg_256/00001',
        path: join(root, 'Clip/jpg_256/00001'),
        label: 0,
        listedAt: 'EmoLabel_DataSplit/test(single-labeled)/set_1.csv:2',
      },
      {
        id: 'Clip/jpg_256/00002',
        path: join(root, 'Clip/jpg_256/00002'),
        label: 1,
        listedAt: 'EmoLabel_DataSplit/test(single-labeled)/set_1.csv:3',
      },
    ]);
  });

  it('finds its columns by their names, whatever else there is', async () => {
    const { root, dataset } = await miniature('dfew');
    writeFileSync(dfewFile(root, 'test'), '\uFEFFlabel,annotator,video_name\r\n7,"a, b",00003\r\n');
    expect(dataset.split(1).test).toMatchObject([{ id: 'Clip/jpg_256/00003', label: 6 }]);
  });

  it('reads the files of a fold only when it is asked for', async () => {
    const { root, dataset, problems } = await miniature('dfew');
    const [test, train] = [dfewFile(root, 'test', 5), dfewFile(root, 'train', 5)];
    rmSync(test);
    rmSync(train);
    expect(dataset.split(4).test).toHaveLength(7);
    const remedy = expect.stringMatching(
      /^Get it from the owners of DFEW; expected are Clip\/jpg_256/,
    ) as string;
    expect(await problems(5)).toEqual([
      { where: train, problem: 'there is no such file', remedy },
      { where: test, problem: 'there is no such file', remedy },
    ]);
  });

  it('lists every line that is wrong', async () => {
    const { root, problems } = await miniature('dfew');
    const test = dfewFile(root, 'test');
    writeFileSync(test, 'video_name,label\n00001,8\n00002\nface,0\n00003,1\n3,1\n100000,2\n00004,x\n');
    expect((await problems()).map(({ where, problem }) => [where, problem])).toEqual([
      [`${test}:3`, '1 values ("00002") where the header names 2 columns'],
      [`${test}:2`, 'label is "8"'],
      [`${test}:4`, 'video_name is "face"'],
      [`${test}:4`, 'label is "0"'],
      [`${test}:7`, 'video_name is "100000"'],
      [`${test}:8`, 'label is "x"'],
      [`${test}:6`, `clip 00003 is listed again (first at ${test}:5)`],
    ]);
  });

  it('finds a clip that is in the train and in the test part', async () => {
    const { root, problems } = await miniature('dfew');
    appendFileSync(dfewFile(root, 'train'), '00002,2\n');
    expect(await problems()).toEqual([
      {
        where: `${dfewFile(root, 'test')}:3`,
        problem: `clip 00002 of the test part is in the train part too (${dfewFile(root, 'train')}:30)`,
        remedy: 'Remove it from one of them, or get the files of fold 1 again from the owners of DFEW',
      },
    ]);
  });

  it.each([
    ['', 'the file is empty'],
    ['video_name,label\n', 'it lists no clip'],
    ['00001,1\n', 'the header "00001", "1" lacks "video_name", "label"'],
    ['video_name,label,label\n', 'the column "label" is there twice'],
  ])('refuses the file %j', async (text, problem) => {
    const { root, problems } = await miniature('dfew');
    writeFileSync(dfewFile(root, 'train'), text);
    expect(await problems()).toMatchObject([{ problem }]);
  });
});

describe.each([
  {
    name: 'ferv39k' as const,
    test: '4_setups/All_scenes/test_All.csv',
    lines: ['Action/HAPPY/0001 hAPPY', 'War/Sad/0002\tSad'],
    videos: [
      { id: '2_ClipsforFaceCrop/Action/HAPPY/0001', label: 0 },
      { id: '2_ClipsforFaceCrop/War/Sad/0002', label: 1 },
    ],
    malformed: ['Action/Happy/0001', 'Happy/0001 Happy', '../Happy/0001 Happy', 'Action//0001 Happy'],
    unknown: ['Action/Happy/0001 Contempt', 'Contempt'],
    example: 'Action/Happy/0267 Happy',
  },
  {
    name: 'mafw' as const,
    test: 'split/single/no_caption/set_1/test.txt',
    lines: ['10001.mp4 Disappointment', '00002.mp4   anger'],
    videos: [
      { id: 'data/frames/10001', label: 10 },
      { id: 'data/frames/00002', label: 0 },
    ],
    malformed: ['00025.mp4', '00025 anger', '../25.mp4 anger', '25.avi anger'],
    unknown: ['00025.mp4 happy', 'happy'],
    example: '00025.mp4 anger',
  },
])('$name', ({ name, test, lines, videos, malformed, unknown, example }) => {
  it('reads lines of a clip and a class in upper or lower case', async () => {
    const { root, dataset } = await miniature(name);
    writeFileSync(join(root, test), `\uFEFF${lines[0]}\r\n\r\n${lines[1]}`);
    expect(dataset.split(1).test).toEqual([
      { ...videos[0], path: join(root, videos[0]?.id as string), listedAt: `${test}:1` },
      { ...videos[1], path: join(root, videos[1]?.id as string), listedAt: `${test}:3` },
    ]);
  });

  it('lists every line that is wrong', async () => {
    const { root, problems, dataset } = await miniature(name);
    const file = join(root, test);
    writeFileSync(file, [...malformed, unknown[0], lines[0], lines[0]].join('\n'));
    expect(await problems()).toEqual([
      ...malformed.map((line, index) => ({
        where: `${file}:${index + 1}`,
        problem: `the line is "${line}"`,
        remedy: `Write the clip and its class, as in "${example}"`,
      })),
      {
        where: `${file}:5`,
        problem: `"${unknown[1]}" is not a class`,
        remedy: `Give one of ${dataset.classes.join(', ')}`,
      },
      {
        where: `${file}:7`,
        problem: expect.stringContaining(`is listed again (first at ${file}:6)`) as string,
        remedy: 'Remove one of the two lines',
      },
    ]);
  });

  it('finds a clip that is in the train and in the test part, and a missing file', async () => {
    const { root, dataset, problems } = await miniature(name);
    const train = join(root, test.replace(/test(?=[^/]*$)/, 'train'));
    appendFileSync(train, `${lines[0]}\n`);
    appendFileSync(join(root, test), `${lines[0]}\n`);
    expect(await problems()).toMatchObject([
      { problem: expect.stringContaining('in the train part too') as string },
    ]);
    rmSync(train);
    expect(await problems()).toMatchObject([{ where: train, problem: 'there is no such file' }]);
    await expect(async () => dataset.split(1)).rejects.toThrow(
      `${train}: there is no such file. Get it from`,
    );
  });
});
