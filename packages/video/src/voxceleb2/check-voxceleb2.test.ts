import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder, writeNumberedVideo } from '../testing/videos.js';
import { checkVoxceleb2, type CheckVoxceleb2Options, type Voxceleb2Check } from './check-voxceleb2.js';
import { isVoxceleb2Path, listVoxceleb2 } from './parts.js';

const folder = temporaryFolder();
afterAll(folder.remove);
const root = join(folder.path, 'VoxCeleb2');
const at = (name: string) => join(root, name);
const source = (name: string) => join(folder.path, name);

/** The real layout with three people, four videos and six clips. */
const CLIPS = [
  'dev/mp4/id00012/21Uxsk56VDQ/00001.mp4',
  'dev/mp4/id00012/21Uxsk56VDQ/00002.mp4',
  'dev/mp4/id00012/_raOc3-IRsw/00110.mp4',
  'dev/mp4/id00015/0fijmz4vTVU/00001.mp4',
  'test/mp4/id00017/01dfn2spqyE/00001.mp4',
  'test/mp4/id00017/01dfn2spqyE/00002.mp4',
];
const PUBLISHED = {
  dev: { people: 2, videos: 3, clips: 4 },
  test: { people: 1, videos: 1, clips: 2 },
};
const PEOPLE = [
  'VoxCeleb2 ID ,VGGFace2 ID ,Gender,Set ',
  'id00012 ,n000012 ,m ,dev ',
  'id00015 ,n000015 ,m ,dev ',
  'id00017 ,n000017 ,m ,test ',
];

const check = (options: CheckVoxceleb2Options = {}) =>
  checkVoxceleb2(root, { published: PUBLISHED, workers: 1, ...options });
const told = ({ findings }: Voxceleb2Check) =>
  findings.map(({ kind, where, problem }) => [kind, where, problem]);

function write(name: string, content: string | Buffer): void {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), content);
}

beforeAll(async () => {
  await writeNumberedVideo(source('good.mp4'), 70, { width: 224, height: 224 });
  await writeNumberedVideo(source('small.mp4'), 70, { width: 112, height: 112 });
  await writeNumberedVideo(source('quick.mp4'), 70, { width: 224, height: 224, framesPerSecond: 30 });
  await writeNumberedVideo(source('short.mp4'), 20, { width: 224, height: 224 });
});

beforeEach(() => {
  rmSync(root, { recursive: true, force: true });
  for (const clip of CLIPS) {
    mkdirSync(dirname(at(clip)), { recursive: true });
    copyFileSync(source('good.mp4'), at(clip));
  }
  write('vox2_meta.csv', `${PEOPLE.join('\r\n')}\r\n`);
});

describe('a copy of VoxCeleb2', () => {
  it('in which nothing is wrong gives its counts and its clips', async () => {
    const steps: [number, number][] = [];
    const result = await check({ onProgress: (...step) => steps.push(step) });
    expect(told(result)).toEqual([]);
    expect(result.parts).toEqual([
      { part: 'dev', counts: PUBLISHED.dev, published: PUBLISHED.dev },
      { part: 'test', counts: PUBLISHED.test, published: PUBLISHED.test },
    ]);
    expect(result.usable).toEqual({ dev: CLIPS.slice(0, 4), test: CLIPS.slice(4) });
    expect(steps.at(-1)).toEqual([6, 6]);
  });

  it('has each broken clip named, and left out of the lists', async () => {
    const [small, cut, quick, empty, text, short] = CLIPS as [string, string, string, string, string, string];
    copyFileSync(source('small.mp4'), at(small));
    copyFileSync(source('quick.mp4'), at(quick));
    copyFileSync(source('short.mp4'), at(short));
    const whole = readFileSync(source('good.mp4'));
    write(cut, whole.subarray(0, whole.length / 2));
    write(empty, '');
    write(text, 'no video\n');
    const result = await check();
    expect(told(result)).toEqual([
      ['empty-clip', empty, 'it has 0 bytes'],
      ['unreadable', cut, expect.stringMatching(/./)],
      ['unreadable', text, expect.stringMatching(/./)],
      ['other-size', small, 'its frames are 112×112, not 224×224'],
      ['other-rate', quick, 'it has 30 frames a second, not 25'],
      ['short-clip', short, 'it has 20 frames, and a clip spans 64'],
    ]);
    expect(result.usable).toEqual({ dev: [small, quick], test: [short] });
    const unopened = await check({ quick: true });
    expect(told(unopened)).toEqual([['empty-clip', empty, 'it has 0 bytes']]);
  });

  it('whose clip was cut short behind its header has it named', async () => {
    await writeNumberedVideo(source('header-first.mp4'), 70, {
      ...{ width: 224, height: 224 },
      options: ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-movflags', '+faststart'],
    });
    const whole = readFileSync(source('header-first.mp4'));
    write(CLIPS[0]!, whole.subarray(0, 0.8 * whole.length));
    expect(told(await check())).toEqual([['unreadable', CLIPS[0], expect.stringMatching(/./)]]);
  });

  it('has missing, moved and strange folders and files named', async () => {
    rmSync(at('dev/mp4/id00015'), { recursive: true });
    rmSync(at(CLIPS[2]!));
    renameSync(at('test/mp4/id00017'), at('dev/mp4/id00017'));
    write('dev/mp4/id00012/21Uxsk56VDQ/00001.txt', 'a transcript');
    write('dev/mp4/id99/clip.mp4', 'of somebody else');
    write('dev/mp4/id00099/abcdefghijk/00001.mp4', readFileSync(source('good.mp4')));
    write('dev/mp4/.DS_Store', 'of a file manager');
    write('vox2_meta.csv', `${PEOPLE.join('\n')}\nid00018, neither\n`);
    expect(told(await check({ quick: true }))).toEqual([
      ['listing', 'vox2_meta.csv:5', expect.stringContaining('does not begin with a person')],
      ['published-size', 'dev/mp4', '3 people of 2, 4 videos of 3, 5 clips of 4'],
      ['published-size', 'test/mp4', '0 people of 1, 0 videos of 1, 0 clips of 2'],
      [
        'missing-person',
        'dev/mp4/id00015',
        'vox2_meta.csv has this person in dev, and there is no such folder',
      ],
      [
        'missing-person',
        'test/mp4/id00017',
        'vox2_meta.csv has this person in test, and there is no such folder',
      ],
      ['other-part', 'dev/mp4/id00017', 'vox2_meta.csv has this person in test'],
      ['empty-folder', 'dev/mp4/id00012/_raOc3-IRsw', 'there is no clip in it'],
      ['stray', 'dev/mp4/id00012/21Uxsk56VDQ/00001.txt', 'it is not a clip, such as 00001.mp4'],
      ['stray', 'dev/mp4/id99', 'it is not the folder of a person, such as id00012'],
      ['stray', 'dev/mp4/id00099', 'vox2_meta.csv does not have this person'],
    ]);
  });
});

it('of a copy tells however much is wrong', async () => {
  const lines = 300_000;
  write('vox2_meta.csv', 'not a person\n'.repeat(1 + lines));
  const { findings } = await check({ quick: true });
  // The first line is taken for headings.
  expect(findings.filter(({ kind }) => kind === 'listing')).toHaveLength(lines);
});

describe('archives of VoxCeleb2', () => {
  const pieces = [...'abcdefghi'].map((letter) => `vox2_dev_mp4_parta${letter}`);
  const writePiece = (name: string, lengthBytes = 30 * 2 ** 30) => {
    write(name, '');
    // Without contents: a file with holes takes no room.
    truncateSync(at(name), lengthBytes);
  };

  beforeEach(() => rmSync(at('dev'), { recursive: true }));

  it('are named where pieces are missing or cut short', async () => {
    for (const name of pieces.filter((one) => !one.endsWith('c'))) writePiece(name);
    writePiece(pieces[4]!, 1000);
    writePiece(pieces[8]!, 8 * 2 ** 30);
    expect(told(await check({ quick: true }))).toEqual([
      ['missing-part', 'dev/mp4', 'the development part, with which the paper pre-trains, is not there'],
      ['archive', 'vox2_dev_mp4_partac', 'this piece of the archive is not there'],
      ['archive', 'vox2_dev_mp4_partae', 'it has 1,000 bytes, not 32,212,254,720'],
    ]);
  });

  it('are named where they were not unpacked', async () => {
    for (const name of pieces) writePiece(name);
    renameSync(at('test/mp4'), at('mp4'));
    write('vox2_test_mp4.zip', 'a zip');
    const { findings, usable } = await check({ quick: true });
    expect(findings.map(({ kind, where, remedy }) => [kind, where, remedy])).toEqual([
      ['missing-part', 'dev/mp4', expect.stringContaining('dev/mp4/id00012/21Uxsk56VDQ/00001.mp4')],
      ['archive', 'vox2_dev_mp4_partaa … ai', expect.stringContaining('cat vox2_dev_mp4_parta*')],
      ['archive', 'mp4', expect.stringContaining('Move it to test/mp4')],
      ['archive', 'vox2_test_mp4.zip', expect.stringContaining('unzip vox2_test_mp4.zip -d test')],
      ['no-test-part', 'test/mp4', expect.stringContaining('Nothing need be done')],
    ]);
    expect(usable).toEqual({});
  });

  it('are named where they were unpacked in part', async () => {
    write('vox2_mp4.zip', 'a zip');
    write(CLIPS[0]!, readFileSync(source('good.mp4')));
    expect(told(await check({ quick: true }))).toContainEqual([
      'archive',
      'vox2_mp4.zip',
      'it was not unpacked to its end, or was not whole',
    ]);
  });
});

it('of a folder that is not there says what is expected', async () => {
  const { findings } = await checkVoxceleb2(join(folder.path, 'gone'));
  expect(findings).toMatchObject([{ kind: 'missing-part', problem: 'there is no such folder' }]);
});

it('is known by its paths, and listed in their order', () => {
  const { clips } = listVoxceleb2(root, 'test')!;
  expect(clips).toEqual(CLIPS.slice(4));
  for (const clip of CLIPS) expect(isVoxceleb2Path(at(clip))).toBe(true);
  for (const path of ['/a/b/00001.mp4', '/id00012/21Uxsk56VDQ/1.mp4', 'id00012\\21Uxsk56VDQ\\00001.avi'])
    expect(isVoxceleb2Path(path)).toBe(false);
});
