/** Label files of data sets, the table of VoxCeleb2's people, and lists of videos. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkVoxceleb2, listVideos, openDataset, type DatasetName } from '@tubelet/video';
import fc from 'fast-check';
import { damaged } from '../mutate.js';
import type { Reader } from '../reader.js';

const CLASSES = 'frown\nneutral\nsmile\n';
const TABLE = [
  'path,label,fold,subject',
  'clips/a b,smile,1,p1',
  '"clips/with, comma",0,2,p2',
  'clips/c,frown,2,"p ""3"""',
  '',
].join('\n');

const LABEL_FILES = {
  dfew: {
    folder: 'Clip/jpg_256',
    file: (part: string) => `EmoLabel_DataSplit/${part}(single-labeled)/set_1.csv`,
    sound: 'video_name,label\n1,1\n00002,7\n',
    other: 'video_name,label\n99,1\n',
  },
  ferv39k: {
    folder: '2_ClipsforFaceCrop',
    file: (part: string) => `4_setups/All_scenes/${part}_All.csv`,
    sound: 'Action/Happy/0267 Happy\nCrime/Sad/0001 Sad\n',
    other: 'War/Fear/0001 Fear\n',
  },
  mafw: {
    folder: 'data/frames',
    file: (part: string) => `split/single/no_caption/set_1/${part}.txt`,
    sound: '00025.mp4 anger\r\n00026.mp4 disgust\r\n',
    other: '00099.mp4 anger\n',
  },
} as const;

function write(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

function labelFileReader(root: string, name: keyof typeof LABEL_FILES): Reader {
  const { folder, file, sound, other } = LABEL_FILES[name];
  mkdirSync(join(root, folder), { recursive: true });
  write(join(root, file('test')), other);
  const path = join(root, file('train'));
  write(path, '');
  return {
    ...{ name: `label file of ${name}`, inputs: damaged([Buffer.from(sound)]), share: 3_000 },
    ...{ refusals: ['DatasetError'], names: root },
    read: async (bytes) => {
      writeFileSync(path, bytes);
      return (await openDataset({ name, root })).split(1);
    },
  };
}

/** Names of folders that tell what their frames show. */
function folderNameReader(root: string, name: DatasetName, sound: string): Reader {
  mkdirSync(join(root, 'face_aligned'), { recursive: true });
  const names = damaged([Buffer.from(sound)]).map((bytes) =>
    // What no name of a folder can hold.
    Buffer.from(
      Buffer.from(bytes)
        .toString()
        .replace(/[\0]/g, '')
        .split('/')
        .map((part) => part.slice(0, 40))
        .join('/'),
    ),
  );
  let count = 0;
  return {
    ...{
      name: `folder names of ${name}`,
      inputs: names,
      share: 1_000,
      refusals: ['DatasetError'],
      names: root,
    },
    read: async (bytes) => {
      const copy = join(root, String(count++));
      const clip = Buffer.from(bytes)
        .toString()
        .split('/')
        .filter((part) => part !== '' && !/^\.\.?$/.test(part));
      mkdirSync(join(copy, 'face_aligned', ...clip), { recursive: true });
      return (await openDataset({ name, root: copy })).split(1);
    },
  };
}

/** Whatever it holds, the check tells of it as findings. */
function peopleReader(root: string): Reader {
  const table = join(root, 'vox2_meta.csv');
  write(join(root, 'dev/mp4/id00012/21Uxsk56VDQ/00001.mp4'), '');
  const sound =
    'VoxCeleb2 ID ,VGGFace2 ID ,Gender ,Set \nid00012 ,n000012 ,m ,dev \nid00017 ,n000017 ,m ,test \n';
  return {
    ...{ name: 'people of VoxCeleb2', inputs: damaged([Buffer.from(sound)]), share: 2_000, refusals: [] },
    read: (bytes) => {
      writeFileSync(table, bytes);
      return checkVoxceleb2(root, { quick: true });
    },
  };
}

export function dataSetReaders(folder: string): Reader[] {
  const csv = join(folder, 'csv', 'videos.csv');
  const classes = join(folder, 'csv', 'classes.txt');
  const readTable = async (table: string | Uint8Array, names: string | Uint8Array) => {
    write(csv, table);
    write(classes, names);
    const dataset = await openDataset({ name: 'csv', root: csv });
    return Array.from({ length: Math.min(dataset.folds, 20) }, (_, fold) => dataset.split(fold + 1));
  };
  const refused = { refusals: ['DatasetError'], names: dirname(csv) };
  const list = join(folder, 'list', 'videos.txt');
  write(join(folder, 'list', 'a b.mp4'), '');
  write(join(folder, 'list', 'c.mp4'), '');
  return [
    {
      ...{ name: 'CSV of a data set', inputs: damaged([Buffer.from(TABLE)]), share: 8_000, ...refused },
      read: (bytes) => readTable(bytes, CLASSES),
    },
    {
      ...{ name: 'classes of a data set', inputs: damaged([Buffer.from(CLASSES)]), share: 4_000, ...refused },
      read: (bytes) => readTable(TABLE, bytes),
    },
    ...(['dfew', 'ferv39k', 'mafw'] as const).map((name) => labelFileReader(join(folder, name), name)),
    folderNameReader(join(folder, 'crema-d'), 'crema-d', '1001_DFA_ANG_XX'),
    folderNameReader(join(folder, 'ravdess'), 'ravdess', 'Actor_01/02-01-06-01-02-01-01'),
    folderNameReader(join(folder, 'enterface05'), 'enterface05', 'subject_1/anger/sentence_1/s1_an_1'),
    peopleReader(join(folder, 'voxceleb2')),
    {
      name: 'list of videos',
      inputs: fc.oneof(damaged([Buffer.from('a b.mp4 smile\nc.mp4\n./c.mp4\t1\nmissing.mp4 0\n')])),
      ...{ share: 6_000, refusals: ['NoReadableVideoError', 'VideoSourceError'], names: list },
      read: (bytes) => {
        writeFileSync(list, bytes);
        return listVideos(list);
      },
    },
  ];
}
