import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OptionError, UserError } from '@tubelet/trainer';
import { encodeVideo, FaceDetectorError, readFrame } from '@tubelet/video';
// Test code of a neighbour, which is not part of what its package offers.
import {
  detectorOf,
  discDetector,
  discFrames,
} from '../../../../packages/video/src/faces/testing/planted-faces.js';
import { dataFaces, type DataFacesOptions, type FacesRecord } from './data-faces.js';
import { facePlace } from './faces-layout.js';
import { collectingTerminal } from '../testing/collecting-terminal.js';

const folder = mkdtempSync(join(tmpdir(), 'tubelet-data-faces-'));
const at = (...names: string[]) => join(folder, ...names);
afterAll(() => rmSync(folder, { recursive: true }));

const red = { x: 24, y: 24, radius: 14, channel: 0 };
const blue = { x: 70, y: 30, radius: 8, channel: 2 };

beforeAll(async () => {
  mkdirSync(at('videos'));
  const write = (name: string, discs: Parameters<typeof discFrames>[3], frames = 20) =>
    encodeVideo(at('videos', name), discFrames(frames, 96, 48, discs), {
      ...{ width: 96, height: 48, framesPerSecond: 25 },
    });
  await write('1001_DFA_ANG_XX.mp4', () => [red]);
  await write('1001_DFA_SAD_XX.mp4', (t) => [...(t > 5 && t < 10 ? [] : [red]), blue]);
  await write('1001_DFA_FEA_XX.mp4', () => []);
  writeFileSync(at('videos/1001_DFA_HAP_XX.mp4'), 'no video');
  writeFileSync(at('videos/readme.mp4'), 'another name');
});

async function run(out: string, options: Partial<DataFacesOptions> = {}, detector = discDetector()) {
  const io = collectingTerminal();
  const defaults = {
    set: 'crema-d',
    root: at('videos'),
    out: at(out),
    size: 32,
    workers: 1,
    resume: false,
  } as const;
  const notes: string[] = [];
  const counter = {
    update: () => undefined,
    note: (line: string) => void notes.push(line),
    stop: () => undefined,
  };
  await dataFaces({ ...defaults, ...options }, io, () => Promise.resolve(detector), counter);
  return { text: io.written.join(''), notes: [...io.notes, ...notes] };
}

const records = (out: string) =>
  readFileSync(at(out, 'faces.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as FacesRecord);

describe('data faces', () => {
  it('cuts one person of each video where the readers look for it, and tells of all others', async () => {
    const { text, notes } = await run('out');
    expect(readdirSync(at('out/face_aligned')).sort()).toEqual(['1001_DFA_ANG_XX', '1001_DFA_SAD_XX']);
    const names = readdirSync(at('out/face_aligned/1001_DFA_SAD_XX')).sort();
    expect(names).toHaveLength(20);
    expect(names[0]).toBe('00001.jpg');
    const { pixels, width } = await readFrame(at('out/face_aligned/1001_DFA_SAD_XX', names[2]!));
    const middle = 3 * (16 * width + 16);
    expect(width).toBe(32);
    expect(pixels[middle]! - pixels[middle + 2]!).toBeGreaterThan(100);
    expect(text).toContain('faces of 2 videos');
    expect(text).toContain('several people, of whom the most present was cut: 1 videos');
    expect(notes.join('\n')).toContain('leaving out 1 such as');
    expect(notes.join('\n')).toMatch(/failed: .*FEA_XX.mp4: no face was found in its 20 frames/);
    expect(notes.join('\n')).toMatch(/failed: .*HAP_XX.mp4: /);
    for (const sheet of ['cut.jpg', 'failed.jpg'])
      expect((await readFrame(at('out', sheet))).height).toBeGreaterThan(200);
    expect(
      records('out')
        .map(({ outcome }) => outcome)
        .sort(),
    ).toEqual(['cut', 'cut', 'failed', 'failed']);
  });

  it('goes on where it was killed, with the same faces', async () => {
    await run('again');
    const name = 'face_aligned/1001_DFA_SAD_XX';
    const [whole] = [readFileSync(at('again', name, '00009.jpg'))];
    const kept = records('again').find((one) => one.outcome === 'cut' && !one.folder.endsWith('SAD_XX'))!;
    // As it is when the program dies while it writes.
    rmSync(at('again', name), { recursive: true });
    mkdirSync(at('again', 'face_aligned', '.1001_DFA_SAD_XX.partial'));
    writeFileSync(at('again/faces.jsonl'), `${JSON.stringify(kept)}\n{"source": "/`);
    const { notes } = await run('again', { resume: true });
    expect(notes).toContain('videos: 4, of which 1 are done');
    expect(readFileSync(at('again', name, '00009.jpg'))).toEqual(whole);
    expect(existsSync(at('again', 'face_aligned', '.1001_DFA_SAD_XX.partial'))).toBe(false);
    expect(records('again')).toHaveLength(4);
  });

  it.each<[string, () => Promise<unknown>, new (...args: never[]) => Error, string]>([
    ['a folder that holds faces', () => run('out'), OptionError, '--resume'],
    ['videos of another data set', () => run('none', { set: 'ravdess' }), UserError, 'no video of ravdess'],
    [
      'videos without any face',
      () =>
        run(
          'empty',
          {},
          detectorOf(() => []),
        ),
      UserError,
      'no face could be cut',
    ],
  ])('refuses %s', async (_, running, kind, message) => {
    const error = await running().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(kind);
    expect((error as Error).message).toContain(message);
  });

  const frames = (...names: string[]) => {
    mkdirSync(at(...names), { recursive: true });
    writeFileSync(at(...names, '1.png'), 'a frame');
    return at(...names);
  };
  const cut = (root: string, out: string) => run(out, { set: 'folder', root });

  it.each([
    ['a root that is a source, into the folder around it', () => cut(frames('own', 'a.b'), 'own'), '--out'],
    ['--out that is --root', () => cut(join(frames('same', 'a'), '..'), 'same'), '--out'],
    [
      'a list of videos elsewhere',
      () => {
        mkdirSync(at('lists'));
        writeFileSync(at('lists', 'list.txt'), `${frames('elsewhere')}\n`);
        return cut(at('lists', 'list.txt'), 'lists/out');
      },
      'does not lie below',
    ],
    [
      'faces among those of another video',
      () => cut(join(frames('nested', 'a', 'b'), frames('nested', 'a') && '../..'), 'nest'),
      'would lie among those of',
    ],
  ])('deletes nothing for %s', async (_, running, message) => {
    await expect(running()).rejects.toThrow(message);
    for (const names of [['own', 'a.b'], ['same', 'a'], ['elsewhere'], ['nested', 'a', 'b']])
      if (existsSync(at(...names))) expect(readdirSync(at(...names))).toContain('1.png');
  });

  it('cuts a video that is the root itself, and goes on where faces lie among the videos', async () => {
    const name = '1001_DFA_ANG_XX';
    await run('single', { set: 'folder', root: at('videos', `${name}.mp4`) });
    expect(readdirSync(at('single', name))).toHaveLength(20);
    cpSync(at('videos', `${name}.mp4`), at('among', `${name}.mp4`));
    await run('among', { set: 'folder', root: at('among') });
    const { notes } = await run('among', { set: 'folder', root: at('among'), resume: true });
    expect(notes).toContain('videos: 1, of which 1 are done');
    const larger = run('among', { set: 'folder', root: at('among'), resume: true, size: 64 });
    await expect(larger).rejects.toThrow(/--size: 64 cannot be used; expected 32/);
  });

  it('says what to do where nothing can be written', async () => {
    writeFileSync(at('a file'), '');
    const running = run('a file/faces');
    await expect(running).rejects.toThrow(UserError);
    await expect(running).rejects.toThrow(/cannot write .*a file\/faces\/faces\.jsonl: ENOTDIR/);
    mkdirSync(at('taken'));
    writeFileSync(at('taken', 'face_aligned'), '');
    const later = run('taken');
    await expect(later).rejects.toThrow(UserError);
    await expect(later).rejects.toThrow(/taken cannot be written: E.*Make room there.*--resume/);
  });

  it('passes on what the detector says when it cannot be used', async () => {
    const open = () => Promise.reject(new FaceDetectorError('The face detector lacks its weights'));
    const options = { set: 'folder', root: at('videos'), out: at('no'), size: 32, resume: false } as const;
    await expect(dataFaces(options, collectingTerminal(), open)).rejects.toThrow('lacks its weights');
  });
});

describe('the place of faces', () => {
  it.each([
    ['crema-d', 'VideoFlash/1040_ITH_SAD_X.flv', 'face_aligned/1040_ITH_SAD_X'],
    ['ravdess', 'a/02-01-06-01-02-01-12.mp4', 'face_aligned/Actor_12/02-01-06-01-02-01-12'],
    [
      'enterface05',
      'subject 1/anger/sentence 1/s1_an_1.avi',
      'face_aligned/subject_1/anger/sentence_1/s1_an_1',
    ],
    ['folder', 'a/b.c/d.mp4', 'a/b.c/d'],
  ] as const)('%s: %s', (set, path, expected) => {
    expect(facePlace(set, '/data', `/data/${path}`)).toEqual({ folder: expected });
  });

  it('keeps what follows a dot in the name of a folder of frames', () => {
    mkdirSync(at('dotted', 'a.1'), { recursive: true });
    expect(facePlace('folder', at('dotted'), at('dotted', 'a.1'))).toEqual({ folder: 'a.1' });
    expect(facePlace('folder', at('dotted', 'a.1'), at('dotted', 'a.1'))).toEqual({ folder: 'a.1' });
  });

  it.each([
    ['crema-d', 'x.flv'],
    ['ravdess', '01-01-06-01-02-01-12.mp4'],
    ['ravdess', '02-02-06-01-02-01-12.mp4'],
    ['enterface05', 'subject 6/anger/sentence 1/s6_an_1.avi'],
    ['enterface05', 's1_an_1.avi'],
  ] as const)('%s leaves out %s', (set, path) => {
    expect(facePlace(set, '/data', `/data/${path}`)).toHaveProperty('leftOut');
  });
});
