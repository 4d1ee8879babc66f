import {
  copyFileSync,
  cpSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../testing/videos.js';
import { DatasetError, type Dataset } from '../dataset.js';
import { openDataset } from '../open.js';
import { DATASETS, DATASET_NAMES, type DatasetName, type DatasetProtocol } from '../protocols.js';
import { appendLine, editFile } from '../testing/edit-file.js';
import { writeMiniature, type Miniature } from '../testing/miniature.js';
import { checkDataset, unopenedCheck, type CheckDatasetOptions, type DatasetCheck } from './check-dataset.js';
import type { FindingKind } from './finding.js';

const folder = temporaryFolder();
afterAll(folder.remove);
let trees = 0;

/** A tree in which nothing is wrong: frames as large as the model takes, clips of different lengths. */
async function writeSoundTree(name: DatasetName, root: string): Promise<Miniature> {
  const tree = await writeMiniature(name, root, { size: 160 });
  const names = ['00002', '00003'].map((stem) => `${stem}${name === 'mafw' ? '.png' : '.jpg'}`);
  copyFileSync(join(tree.clips[0]!, names[0]!), join(tree.clips[0]!, names[1]!));
  return tree;
}

const written = new Map<DatasetName, Promise<Miniature>>();

/** Such a tree of the test's own: a copy, since images take longer to be encoded. */
async function soundTree(name: DatasetName): Promise<Miniature> {
  const original = join(folder.path, name);
  if (!written.has(name)) written.set(name, writeSoundTree(name, original));
  const { root, clips } = await written.get(name)!;
  const copy = join(folder.path, `tree-${++trees}`);
  cpSync(original, copy, { recursive: true });
  const moved = (path: string) => join(copy, relative(original, path));
  return { root: moved(root), clips: clips.map(moved) };
}

/** The protocol of a miniature: that of the data set, with the sizes that the miniature should have. */
function miniatureProtocol(dataset: Dataset): DatasetProtocol {
  const protocol = DATASETS[dataset.name as DatasetName];
  if (protocol.published === undefined) return protocol;
  const splits = Array.from({ length: dataset.folds }, (_, i) => {
    const { train, test } = dataset.split(i + 1);
    return { train: train.length, test: test.length };
  });
  return { ...protocol, published: { total: splits[0]!.train + splits[0]!.test, splits } };
}

async function check(
  name: DatasetName,
  { root }: Miniature,
  options: CheckDatasetOptions = {},
): Promise<DatasetCheck> {
  return checkDataset(await openDataset({ name, root }), options);
}

const kindsOf = (result: DatasetCheck): FindingKind[] => [
  ...new Set(result.findings.map(({ kind }) => kind)),
];

describe.each(DATASET_NAMES)('a sound miniature of %s', (name) => {
  it('has no error and no warning', async () => {
    const tree = await soundTree(name);
    const dataset = await openDataset({ name, root: tree.root });
    const result = await checkDataset(dataset, { protocol: miniatureProtocol(dataset) });
    expect(result.findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
    // Two frames are fewer than a clip spans, and the miniature of RAVDESS has a song and a clip with sound.
    expect(kindsOf(result)).toEqual(name === 'ravdess' ? ['short-clip', 'left-out'] : ['short-clip']);
    expect(result).toMatchObject({
      name,
      clips: tree.clips.length,
      frameCounts: { least: 2, median: 2, most: 3 },
      frameSizes: [{ width: 160, height: 160, clips: tree.clips.length }],
      unreadFolds: [],
    });
    expect(result.folds.map(({ fold }) => fold)).toEqual(
      Array.from({ length: dataset.folds }, (_, i) => i + 1),
    );
    for (const { train, test } of result.folds) {
      expect(train.clips + test.clips).toBe(tree.clips.length);
      expect(train.perClass.reduce((sum, count) => sum + count)).toBe(train.clips);
    }
  });
});

interface Fault {
  readonly plant: (tree: Miniature) => void | Promise<void>;
  readonly kind: FindingKind;
  readonly where: string | RegExp;
  readonly problem: RegExp;
}

const CLIP = 'Clip/jpg_256/00001';
const LISTED = `EmoLabel_DataSplit/test(single-labeled)/set_1.csv:2, ${CLIP}`;
const frame = ({ root }: Miniature, name: string, clip = CLIP) => join(root, clip, name);
const setFile = (part: 'train' | 'test', fold: number) =>
  `EmoLabel_DataSplit/${part}(single-labeled)/set_${fold}.csv`;

async function replaceFrames(tree: Miniature, names: readonly string[], width: number, height: number) {
  const background = { r: 200, g: 30, b: 90 };
  const image = sharp({ create: { width, height, channels: 3, background } }).jpeg();
  for (const name of names) await image.clone().toFile(frame(tree, name));
}

const FAULTS: Readonly<Record<string, Fault>> = {
  'a listed clip that is missing': {
    plant: (tree) => rmSync(join(tree.root, CLIP), { recursive: true }),
    kind: 'missing-clip',
    where: LISTED,
    problem: /Clip\/jpg_256\/00001: there is no such clip$/,
  },
  'a folder without anything': {
    plant: (tree) => {
      rmSync(join(tree.root, CLIP), { recursive: true });
      mkdirSync(join(tree.root, CLIP));
    },
    kind: 'empty-clip',
    where: LISTED,
    problem: /the folder is empty$/,
  },
  'a folder with frames of an unknown format': {
    plant: (tree) => {
      for (const number of [1, 2, 3]) {
        rmSync(frame(tree, `0000${number}.jpg`));
        writeFileSync(frame(tree, `frame_det_00_${number}.bmp`), 'BM');
      }
    },
    kind: 'empty-clip',
    where: LISTED,
    problem: /no jpg or png among 3 files \(\.bmp\)$/,
  },
  'a file of 0 bytes in place of a clip': {
    plant: (tree) => {
      rmSync(join(tree.root, CLIP), { recursive: true });
      writeFileSync(join(tree.root, CLIP), '');
    },
    kind: 'empty-clip',
    where: LISTED,
    problem: /has 0 bytes$/,
  },
  'a frame of 0 bytes': {
    plant: (tree) => truncateSync(frame(tree, '00002.jpg'), 0),
    kind: 'empty-file',
    where: LISTED,
    problem: /^1 of its 3 frames have 0 bytes: .*00002\.jpg$/,
  },
  'a corrupt first frame': {
    plant: (tree) => truncateSync(frame(tree, '00001.jpg'), 300),
    kind: 'unreadable',
    where: LISTED,
    problem: /00001\.jpg cannot be decoded: /,
  },
  'a frame in the middle that was cut short': {
    plant: (tree) => truncateSync(frame(tree, '00002.jpg'), 300),
    kind: 'unreadable',
    where: LISTED,
    problem: /00002\.jpg cannot be decoded: /,
  },
  'a last frame that is not an image': {
    plant: (tree) => writeFileSync(frame(tree, '00003.jpg'), 'no image'),
    kind: 'unreadable',
    where: LISTED,
    problem: /00003\.jpg cannot be decoded: /,
  },
  'a clip of a single frame': {
    plant: (tree) => ['00002.jpg', '00003.jpg'].forEach((name) => rmSync(frame(tree, name))),
    kind: 'single-frame',
    where: LISTED,
    problem: /^it has 1 frame$/,
  },
  'a gap in the frame numbers': {
    plant: (tree) => renameSync(frame(tree, '00003.jpg'), frame(tree, '00007.jpg')),
    kind: 'frame-numbers',
    where: LISTED,
    problem: /^4 of the frame numbers 1 to 7 are missing: 3, 4, 5, 6$/,
  },
  'png frames in a data set of jpg': {
    plant: (tree) => renameSync(frame(tree, '00003.jpg'), frame(tree, '00003.png')),
    kind: 'file-extension',
    where: LISTED,
    problem: /^1 of its 3 frames do not end in \.jpg, such as 00003\.png$/,
  },
  'whole frames in place of faces': {
    plant: (tree) => replaceFrames(tree, ['00001.jpg', '00002.jpg', '00003.jpg'], 320, 180),
    kind: 'not-square',
    where: LISTED,
    problem: /^its frames are 320×180$/,
  },
  'frames that are too small': {
    plant: (tree) => replaceFrames(tree, ['00001.jpg', '00002.jpg', '00003.jpg'], 112, 112),
    kind: 'small-frames',
    where: LISTED,
    problem: /^its frames are 112×112, and the model takes 160×160$/,
  },
  'frames of another size than those of other clips': {
    plant: (tree) => replaceFrames(tree, ['00001.jpg', '00002.jpg', '00003.jpg'], 224, 224),
    kind: 'odd-size',
    where: LISTED,
    problem: /^its frames are 224×224, and most others 160×160$/,
  },
  'frames of different sizes in a clip': {
    plant: (tree) => replaceFrames(tree, ['00003.jpg'], 200, 200),
    kind: 'changing-size',
    where: LISTED,
    problem: /^the first frame is 160×160, the last 200×200$/,
  },
  'a clip that no file lists': {
    plant: (tree) => {
      mkdirSync(join(tree.root, 'Clip/jpg_256/16000'));
      copyFileSync(frame(tree, '00001.jpg'), frame(tree, '00001.jpg', 'Clip/jpg_256/16000'));
    },
    kind: 'unlisted-clip',
    where: 'Clip/jpg_256/16000',
    problem: /^no label file lists it$/,
  },
  'the same clip under two names in train and test': {
    plant: (tree) => {
      for (const name of ['00001.jpg', '00002.jpg', '00003.jpg']) {
        copyFileSync(frame(tree, name), frame(tree, name, 'Clip/jpg_256/00010'));
      }
    },
    kind: 'same-content-in-train-and-test',
    where: /train\(single-labeled\)\/set_1\.csv:4, Clip\/jpg_256\/00010$/,
    problem:
      /train of fold 1 and .* content as .*set_1\.csv:2, Clip\/jpg_256\/00001 in test; .* differ: 0, 2$/,
  },
  'the same clip in train and test': {
    plant: (tree) => appendLine(join(tree.root, setFile('train', 2)), '8,1'),
    kind: 'listing',
    where: /test\(single-labeled\)\/set_2\.csv:2$/,
    problem: /clip 00008 of the test part is in the train part too/,
  },
  'a clip listed twice': {
    plant: (tree) => appendLine(join(tree.root, setFile('train', 1)), '8,1'),
    kind: 'listing',
    where: /train\(single-labeled\)\/set_1\.csv:30$/,
    problem: /clip 00008 is listed again/,
  },
  'a label outside the classes': {
    plant: (tree) => editFile(join(tree.root, setFile('test', 3)), (text) => text.replace(',1\n', ',8\n')),
    kind: 'listing',
    where: /test\(single-labeled\)\/set_3\.csv:2$/,
    problem: /label is "8"/,
  },
  'a missing label file': {
    plant: (tree) => rmSync(join(tree.root, setFile('test', 5))),
    kind: 'listing',
    where: /test\(single-labeled\)\/set_5\.csv$/,
    problem: /there is no such file/,
  },
  'labels that differ between folds': {
    plant: (tree) =>
      editFile(join(tree.root, setFile('train', 2)), (text) => text.replace('\n1,1\n', '\n1,3\n')),
    kind: 'other-label',
    where: /set_2\.csv:2, Clip\/jpg_256\/00001$/,
    problem: /^its label is 2 in fold 2 and 0 in fold 1$/,
  },
  'lines missing from a label file': {
    plant: (tree) => editFile(join(tree.root, setFile('test', 4)), (text) => text.replace(/\d+,7\n/, '')),
    kind: 'published-size',
    where: 'fold 4, test',
    problem: /^clips: 6 instead of 7: 1 too few$/,
  },
  'a class that a part lacks': {
    plant: (tree) => editFile(join(tree.root, setFile('test', 4)), (text) => text.replace(/\d+,7\n/, '')),
    kind: 'class-without-clips',
    where: 'fold 4, test',
    problem: /^class 6 \(fear\) has no clip$/,
  },
};

describe('checkDataset finds and names', () => {
  it.each(Object.entries(FAULTS))('%s', async (_, { plant, kind, where, problem }) => {
    const tree = await soundTree('dfew');
    const protocol = miniatureProtocol(await openDataset({ name: 'dfew', root: tree.root }));
    await plant(tree);
    const { findings } = await check('dfew', tree, { protocol });
    const found = findings.filter((one) => one.kind === kind);
    expect(found).toEqual([
      {
        kind,
        severity: found[0]?.severity,
        where: typeof where === 'string' ? where : expect.stringMatching(where),
        problem: expect.stringMatching(problem) as unknown,
        remedy: expect.stringMatching(/\w{3}/) as unknown,
      },
    ]);
  });

  it('a subject in train and test', async () => {
    const tree = await soundTree('csv');
    editFile(tree.root, (text) => text.replace(/1,person2$/m, '1,person3'));
    const { findings } = await check('csv', tree);
    expect(findings.filter(({ severity }) => severity === 'error')).toMatchObject([
      {
        kind: 'subject-in-train-and-test',
        where: 'fold 1',
        problem: 'subject person3 has clips in train (3) and in test (1)',
      },
      {
        kind: 'subject-in-train-and-test',
        where: 'fold 2',
        problem: 'subject person3 has clips in train (1) and in test (3)',
      },
    ]);
  });

  it('clips that were all cut to one length', async () => {
    const tree = await soundTree('dfew');
    rmSync(frame(tree, '00003.jpg'));
    const { findings } = await check('dfew', tree);
    expect(findings).toContainEqual(
      expect.objectContaining({ kind: 'equal-lengths', problem: 'all 35 clips have 2 frames' }),
    );
  });

  it('clips of one part with the same content', async () => {
    const tree = await soundTree('ferv39k');
    const [first, second] = ['0001', '0011'].map((name) =>
      tree.clips.find((clip) => basename(clip) === name)!,
    );
    for (const name of ['00001.jpg', '00002.jpg']) copyFileSync(join(first!, name), join(second!, name));
    const { findings } = await check('ferv39k', tree);
    expect(findings.filter(({ kind }) => kind.startsWith('same-content'))).toMatchObject([
      {
        kind: 'same-content',
        severity: 'warning',
        where: expect.stringMatching(/train_All\.csv:2, .*Sad\/0001$/) as unknown,
        problem: expect.stringMatching(
          /^it has the same content as .*train_All\.csv:9, .*Sad\/0011$/,
        ) as unknown,
      },
    ]);
  });
});

describe('counts', () => {
  it('are held to the published ones unless told otherwise', async () => {
    const { findings, folds } = await check('dfew', await soundTree('dfew'), { folds: [2] });
    expect(findings.filter(({ kind }) => kind === 'published-size')).toMatchObject([
      { where: 'fold 2, train', problem: 'clips: 28 instead of 9,356: 9,328 too few' },
      { where: 'fold 2, test', problem: 'clips: 7 instead of 2,341: 2,334 too few' },
    ]);
    expect(folds).toMatchObject([
      {
        fold: 2,
        train: { clips: 28, publishedClips: 9356, perClass: [4, 4, 4, 4, 4, 4, 4], subjects: null },
        test: { clips: 7, publishedClips: 2341, perClass: [1, 1, 1, 1, 1, 1, 1] },
      },
    ]);
  });

  it('of classes and subjects are held to the published ones too', async () => {
    const { findings } = await check('crema-d', await soundTree('crema-d'), { folds: [1] });
    const problems = findings.filter(({ kind }) => kind === 'published-size').map(({ problem }) => problem);
    expect(problems).toEqual([
      'clips: 60 instead of 7,442: 7,382 too few',
      ...['ANG', 'DIS', 'FEA', 'HAP'].map((name) => `clips of ${name}: 10 instead of 1,271: 1,261 too few`),
      'clips of NEU: 10 instead of 1,087: 1,077 too few',
      'clips of SAD: 10 instead of 1,271: 1,261 too few',
      'subjects: 10 instead of 91: 81 too few',
    ]);
  });
});

describe('a fold that cannot be read', () => {
  it('is said to be unread, and the others are checked', async () => {
    const tree = await soundTree('dfew');
    rmSync(join(tree.root, setFile('train', 2)));
    const result = await check('dfew', tree, { folds: [1, 2] });
    expect(result).toMatchObject({ unreadFolds: [2], folds: [{ fold: 1 }], clips: 35 });
  });

  it('is refused when the data set does not have it', async () => {
    const tree = await soundTree('ferv39k');
    await expect(check('ferv39k', tree, { folds: [2] })).rejects.toThrow(RangeError);
  });
});

describe('unopenedCheck', () => {
  it('has what is wrong with a data set that cannot be opened', async () => {
    const tree = await soundTree('crema-d');
    const odd = join(tree.root, 'face_aligned/1001_DFA_BOR_XX');
    mkdirSync(odd);
    const error = await openDataset({ name: 'crema-d', root: tree.root }).catch(
      (error: DatasetError) => error,
    );
    expect(error).toBeInstanceOf(DatasetError);
    const result = unopenedCheck('crema-d', tree.root, error as DatasetError);
    expect(result).toMatchObject({ title: 'CREMA-D', folds: [], unreadFolds: [1, 2, 3, 4, 5], clips: 0 });
    expect(result.findings).toMatchObject([{ kind: 'listing', severity: 'error', where: odd }]);
  });
});

describe('a quick check', () => {
  it('opens no image and still lists folders', async () => {
    const tree = await soundTree('dfew');
    writeFileSync(frame(tree, '00001.jpg'), 'no image');
    rmSync(join(tree.root, 'Clip/jpg_256/00002'), { recursive: true });
    const { findings, frameSizes, frameCounts } = await check('dfew', tree, { quick: true, folds: [1] });
    expect(findings.map(({ kind }) => kind)).not.toContain('unreadable');
    expect(findings.find(({ kind }) => kind === 'missing-clip')?.where).toContain('00002');
    expect(frameSizes).toEqual([]);
    expect(frameCounts).toEqual({ least: 2, median: 2, most: 3 });
  });
});

describe('what is reported', () => {
  it('has errors first and is the same again', async () => {
    const tree = await soundTree('dfew');
    for (const fault of ['a gap in the frame numbers', 'a clip that no file lists'])
      await FAULTS[fault]!.plant(tree);
    for (const name of ['00004', '00009', '00030'])
      rmSync(join(tree.root, 'Clip/jpg_256', name), { recursive: true });
    const first = await check('dfew', tree, { concurrency: 1 });
    const again = await check('dfew', tree, { concurrency: 7 });
    expect(JSON.stringify(again)).toBe(JSON.stringify(first));
    const order = ['error', 'warning', 'info'];
    const severities = first.findings.map(({ severity }) => order.indexOf(severity));
    expect(severities).toEqual([...severities].sort());
    expect(new Set(severities).size).toBe(3);
  });

  it('tells how far it is', async () => {
    const calls: [number, number][] = [];
    await check('ferv39k', await soundTree('ferv39k'), { onProgress: (...call) => calls.push(call) });
    expect(calls).toEqual(Array.from({ length: 21 }, (_, i) => [i + 1, 21]));
  });

  it('follows links to folders of clips, once', async () => {
    const tree = await soundTree('dfew');
    const elsewhere = join(folder.path, 'elsewhere', 'clip');
    mkdirSync(elsewhere, { recursive: true });
    copyFileSync(frame(tree, '00001.jpg'), join(elsewhere, '00001.jpg'));
    for (const name of ['a', 'b']) symlinkSync(dirname(elsewhere), join(tree.root, 'Clip/jpg_256', name));
    const { findings } = await check('dfew', tree, { quick: true, folds: [1] });
    const unlisted = findings.filter(({ kind }) => kind === 'unlisted-clip');
    expect(unlisted.map(({ where }) => where)).toEqual(['Clip/jpg_256/a/clip']);
  });
});
