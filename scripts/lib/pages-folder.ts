import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { classifierShapes, lgiFormer } from '@tubelet/mae-dfer';
// Test code of packages, which is not part of what they offer.
import {
  publishedArchive,
  stateDictArchive,
} from '../../packages/mae-dfer/src/import/testing/published-archive.js';
import { writeMiniature } from '../../packages/video/src/datasets/testing/miniature.js';
import { writeNumberedVideo } from '../../packages/video/src/testing/videos.js';
import { root } from './root.mjs';

const CLASSES = ['happy', 'sad', 'neutral', 'angry', 'surprise', 'disgust', 'fear'];
const SIZE = { width: 48, height: 48 };

/** The real layout, with two people to train on and one to test on. */
const VOXCELEB2 = [
  'dev/mp4/id00012/21Uxsk56VDQ/00001.mp4',
  'dev/mp4/id00015/0fijmz4vTVU/00001.mp4',
  'test/mp4/id00017/01dfn2spqyE/00001.mp4',
];
const PEOPLE = [
  'VoxCeleb2 ID ,VGGFace2 ID ,Gender,Set ',
  'id00012 ,n000012 ,m ,dev ',
  'id00015 ,n000015 ,m ,dev ',
  'id00017 ,n000017 ,m ,test ',
];

/**
 * Writes what the commands of the documents name, in miniature: videos, data sets in their real layouts (under `data`
 * what the documents have under `/data`), weights under the published names, and the packages of this repository.
 *
 * @param folder an empty folder
 */
export async function writePagesFolder(folder: string): Promise<void> {
  const at = (path: string) => join(folder, path);
  const write = (path: string, content: string | Uint8Array) => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), content);
  };
  const copy = (from: string, to: string) => {
    mkdirSync(dirname(at(to)), { recursive: true });
    copyFileSync(at(from), at(to));
  };

  // Some commands begin three seconds in.
  await writeNumberedVideo(at('face.mp4'), 99, SIZE);
  for (const name of ['interview', 'cap12_edit', 'cap13_edit2']) copy('face.mp4', `${name}.mp4`);
  mkdirSync(at('videos'));
  for (let i = 0; i < 2; i++) await writeNumberedVideo(at(`videos/${i}.mp4`), 12 + i, SIZE);
  for (let i = 0; i < 8; i++) copy(`videos/${i % 2}.mp4`, `clips/${i}.mp4`);
  symlinkSync('videos', at('FOLDER'));

  for (const [name, place, link] of [
    ['dfew', 'data/DFEW', 'DFEW'],
    ['ferv39k', 'data/FERV39k', 'FERV39K'],
    ['mafw', 'data/MAFW', 'MAFW'],
  ] as const) {
    await writeMiniature(name, at(place), { frames: 6, size: 32 });
    symlinkSync(place, at(link));
  }
  const lines = CLASSES.map((name, i) => `../clips/${i}.mp4,${name}`);
  write('mine/faces.csv', `${['path,label', ...lines].join('\n')}\n`);
  write('mine/classes.txt', `${CLASSES.join('\n')}\n`);
  await writeNumberedVideo(at('voxceleb2.mp4'), 70, { width: 224, height: 224 });
  for (const clip of VOXCELEB2) copy('voxceleb2.mp4', `data/VoxCeleb2/${clip}`);
  write('data/VoxCeleb2/vox2_meta.csv', `${PEOPLE.join('\r\n')}\r\n`);
  symlinkSync('data/VoxCeleb2', at('VOXCELEB2'));

  write('checkpoint-49.pth', publishedArchive());
  const encoder = lgiFormer('base', { dim: 64, depth: 1, heads: 1 });
  const classifier = stateDictArchive(classifierShapes(encoder, CLASSES.length), 'model');
  write('dfew-fold-1.pth', classifier);
  for (let fold = 1; fold <= 5; fold++) write(`published/dfew/fold-${fold}.pth`, classifier);

  for (const name of ['node_modules', 'recipes']) symlinkSync(join(root, name), at(name));
}
