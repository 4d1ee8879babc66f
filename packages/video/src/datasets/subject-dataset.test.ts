import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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

async function miniature(name: PublishedName) {
  const { root } = await writeMiniature(name, join(folder.path, `${name}-${++copies}`), { frames: 1 });
  return {
    faces: join(root, 'face_aligned'),
    open: () => openDataset({ name, root }),
    problems: () => problemsOf(() => openDataset({ name, root })),
  };
}

const NAMES = ['crema-d', 'ravdess', 'enterface05'] as const;
const FIRST = {
  'crema-d': { id: 'face_aligned/1018_DFA_ANG_XX', label: 0, subject: '1018' },
  ravdess: { id: 'face_aligned/Actor_01/02-01-01-01-01-01-01', label: 0, subject: '1' },
  enterface05: { id: 'face_aligned/subject_1/anger/sentence_1/s1_an_1', label: 0, subject: '1' },
};
/** The subjects of the miniatures that test each fold. */
const TEST_SUBJECTS = {
  'crema-d': [
    ['1001', '1018'],
    ['1019', '1036'],
    ['1037', '1054'],
    ['1055', '1072'],
    ['1073', '1091'],
  ],
  ravdess: [['1'], ['8'], ['9'], ['16'], ['17'], ['24']],
  enterface05: [
    ['1', '10'],
    ['11', '19'],
    ['20', '28'],
    ['29', '37'],
    ['38', '44'],
  ],
};

describe.each(NAMES)('%s', (name) => {
  it('knows label and subject of a clip by its name, and tests each subject in the published fold', async () => {
    const { open } = await miniature(name);
    const dataset = await open();
    expect(dataset.split(1).test).toContainEqual({
      ...FIRST[name],
      path: join(dataset.root, FIRST[name].id),
    });
    const subjects = Array.from({ length: dataset.folds }, (_, fold) => {
      const { train, test } = dataset.split(fold + 1);
      const tested = new Set(test.map(({ subject }) => subject as string));
      expect(train.some(({ subject }) => tested.has(subject as string))).toBe(false);
      return [...tested].sort((a, b) => Number(a) - Number(b));
    });
    expect(subjects).toEqual(TEST_SUBJECTS[name]);
  });

  it('lists the clips in the order of their names, and follows links', async () => {
    const { open, faces } = await miniature(name);
    const before = (await open()).split(1);
    const id = FIRST[name].id.slice('face_aligned/'.length);
    const moved = join(folder.path, `moved-${name}`);
    renameSync(join(faces, id), moved);
    symlinkSync(moved, join(faces, id));
    const { train, test } = (await open()).split(1);
    expect({ train, test }).toEqual(before);
    expect(train.map((video) => video.id)).toEqual(train.map((video) => video.id).sort());
  });

  it('says that a folder without clips is none', async () => {
    const { faces, problems } = await miniature(name);
    rmSync(faces, { recursive: true });
    mkdirSync(faces);
    expect(await problems()).toMatchObject([{ where: faces, problem: 'it holds no clip' }]);
  });

  it('leaves out files among the clips, and says so; hidden ones are nobody’s business', async () => {
    const { faces, open } = await miniature(name);
    const before = (await open()).leftOut?.length as number;
    writeFileSync(join(faces, '.DS_Store'), '');
    writeFileSync(join(faces, 'log.txt'), '');
    expect((await open()).leftOut).toHaveLength(before + 1);
    expect((await open()).leftOut).toContainEqual({
      where: join(faces, 'log.txt'),
      problem: 'it is a file where folders of clips are expected',
      remedy: 'Nothing need be done: the protocol does without it',
    });
  });
});

describe('names that do not fit', () => {
  it.each<[PublishedName, string[]]>([
    [
      'crema-d',
      ['1001_DFA_ANG', '1000_DFA_ANG_XX', '1092_DFA_ANG_XX', '1001_DFA_SUR_XX', '1001_DFA_ANG_YY', 'copy'],
    ],
    [
      'ravdess',
      [
        'Actor_01/02-01-09-01-01-01-01',
        'Actor_01/02-01-01-01-01-01-02',
        'Actor_01/02-01-01-01-01-01',
        'Actor_25/02-01-01-01-01-01-25',
        'Actor_1/02-01-01-01-01-01-01',
      ],
    ],
    [
      'enterface05',
      [
        'subject_6/anger/sentence_1/s6_an_1',
        'subject_45/anger/sentence_1/s45_an_1',
        'subject_1/joy/sentence_1/s1_jo_1',
        'subject_1/anger/sentence_6/s1_an_6',
        'subject_1/anger/sentence_1/s2_an_1',
        'subject_1/anger/sentence_1/s1_di_1',
      ],
    ],
  ])('are listed, all of them, for %s', async (name, wrong) => {
    const { faces, problems } = await miniature(name);
    for (const clip of wrong) mkdirSync(join(faces, clip), { recursive: true });
    const found = await problems();
    expect(found.map(({ where }) => where)).toEqual(wrong.map((clip) => join(faces, clip)).sort());
    for (const { problem, remedy } of found) {
      expect(problem).toMatch(/^".+" is not the name of an? (CREMA-D|RAVDESS|eNTERFACE05) clip$/);
      expect(remedy).toMatch(/^Move it elsewhere, or name it .*as in/);
    }
  });

  it('take in the one irregular name of CREMA-D', async () => {
    const { faces, open } = await miniature('crema-d');
    mkdirSync(join(faces, '1040_ITH_SAD_X'));
    const { test } = (await open()).split(3);
    expect(test).toContainEqual(expect.objectContaining({ label: 5, subject: '1040' }));
  });
});

it.each([
  ['ravdess', 'Actor_02'],
  ['enterface05', 'subject_2/anger'],
] as const)('an empty folder of %s is left out, and said so', async (name, empty) => {
  const { faces, open } = await miniature(name);
  mkdirSync(join(faces, empty), { recursive: true });
  expect((await open()).leftOut).toContainEqual({
    where: join(faces, empty),
    problem: 'the folder is empty',
    remedy: 'Nothing need be done: the protocol does without it',
  });
});

describe('RAVDESS', () => {
  it('leaves out songs and clips with sound, and says why', async () => {
    const { faces, open } = await miniature('ravdess');
    const remedy = 'Nothing need be done: the protocol does without it';
    expect((await open()).leftOut).toEqual([
      {
        where: join(faces, 'Actor_01/01-01-03-01-01-01-01'),
        problem: 'its modality 01 is not 02, video-only',
        remedy,
      },
      {
        where: join(faces, 'Actor_01/02-02-03-01-01-01-01'),
        problem: 'its vocal channel 02 is not 01, speech',
        remedy,
      },
    ]);
  });
});
