import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { UserError } from '@tubelet/trainer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataCheck } from '../data/data-check.js';
import { findVideos } from './sources.js';
import { videosFingerprint } from '../train/train-data.js';

let folder = '';
const at = (...names: string[]) => join(folder, ...names);
const CLIPS = [
  'dev/mp4/id00012/21Uxsk56VDQ/00001.mp4',
  'dev/mp4/id00015/0fijmz4vTVU/00002.mp4',
  'test/mp4/id00017/01dfn2spqyE/00001.mp4',
];
const PUBLISHED = {
  dev: { people: 2, videos: 2, clips: 2 },
  test: { people: 1, videos: 1, clips: 1 },
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tubelet-sources-'));
  for (const clip of [...CLIPS.map((name) => `vox/${name}`), 'others/a.mp4']) {
    mkdirSync(dirname(at(clip)), { recursive: true });
    writeFileSync(at(clip), 'a clip');
  }
});
afterAll(() => rm(folder, { recursive: true }));

const find = (sources: string[], options: { root?: string; crop?: 'voxceleb' | 'centre' | 'none' } = {}) =>
  findVideos(sources, { crop: 'centre', ...options }, new Set(Object.keys(options)));

describe('VoxCeleb2', () => {
  it('by its name is the development part, cut as its faces lie', async () => {
    const found = await find(['voxceleb2'], { root: at('vox') });
    expect(found.entries).toEqual(CLIPS.slice(0, 2).map((clip) => ({ path: at('vox', clip) })));
    expect(found).toMatchObject({
      crop: 'voxceleb',
      shownCrop: 'voxceleb',
      sources: [`voxceleb2 in ${at('vox')}`],
    });
    expect(found.notes).toEqual([
      expect.stringMatching(/development part: 2 clips, of 1,092,009: `tubelet data check voxceleb2`/),
      expect.stringMatching(/^crop voxceleb: /),
    ]);
  });

  it('is known as a folder and as a list, and may be cut otherwise', async () => {
    const dev = at('vox', 'dev');
    expect(await find([at('vox')])).toMatchObject({ crop: 'voxceleb', entries: { length: 3 } });
    expect(await find([dev], { crop: 'none' })).toMatchObject({ crop: 'none', notes: [] });
    expect(await find([dev, at('others')])).toMatchObject({ crop: 'centre', notes: [] });
  });

  it('as a folder has the test part, which is said', async () => {
    const { notes } = await find([at('vox')]);
    expect(notes[0]).toMatch(/^clips of VoxCeleb2’s test part.*: 1; `voxceleb2 --root DIR`/);
  });

  it('that is not there is refused', async () => {
    await expect(find(['voxceleb2'], { root: at('others') })).rejects.toThrow(
      /does not hold the development part/,
    );
    await expect(find(['voxceleb2'])).rejects.toThrow(
      /voxceleb2 is the name of a data set: give its folder by --root/,
    );
    await expect(find([at('vox')], { root: at('vox') })).rejects.toThrow(/--root: .*voxceleb2/);
  });
});

describe('shards', () => {
  const write = (name: string, crop: string) => {
    mkdirSync(at(name));
    writeFileSync(at(name, 'shard-000000.tar'), new Uint8Array(2048));
    const lines = [
      { format: 'tubelet shards 1', settings: { crop } },
      { key: '0', shard: 0, at: [512, 100, 1024, 1000] },
      { complete: true },
    ];
    writeFileSync(at(name, 'index.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    return at(name);
  };

  it('have other videos shown as prepare has cut theirs', async () => {
    const [tops, faces] = [write('tops', 'voxceleb'), write('faces', 'face')];
    expect(await find([tops])).toMatchObject({ crop: 'centre', shownCrop: 'voxceleb', notes: [] });
    expect(await find([tops], { crop: 'voxceleb' })).toMatchObject({ crop: 'none', shownCrop: 'voxceleb' });
    for (const other of [faces, at('others')])
      expect(await find([tops, other], { crop: 'none' })).toMatchObject({ shownCrop: 'none' });
  });

  it('of faces ask for videos that are cut to a face', async () => {
    const found = await find([write('cut', 'face')], { crop: 'voxceleb' });
    expect(found).toMatchObject({ crop: 'none', shownCrop: 'none' });
    expect(found.notes[1]).toMatch(/are faces .*--watch or `reconstruct` has to be one that is cut/);
  });
});

describe('data check', () => {
  const check = async (out: string, quick: boolean) => {
    const said: string[] = [];
    const counter = { update: () => undefined, note: () => undefined, stop: () => undefined };
    const options = { root: at('vox'), out, quick, workers: 1 };
    await dataCheck(options, (text) => said.push(text), counter, { published: PUBLISHED });
    return said.join('\n');
  };

  it('lists the clips of both parts for training', async () => {
    const said = await check(at('lists'), true);
    expect(said).toMatch(/dev +2 of 2 +2 of 2 +2 of 2\ntest +1 of 1/);
    expect(said).toContain('nothing wrong was found');
    const [listed, named] = [
      await find([at('lists', 'voxceleb2-dev.txt')]),
      await find(['voxceleb2'], { root: at('vox') }),
    ];
    expect(listed.entries).toEqual(named.entries);
    expect(listed.crop).toBe('voxceleb');
    // A run that was begun with one is gone on with by the other.
    expect(videosFingerprint(listed.entries)).toBe(videosFingerprint(named.entries));
  });

  it('says what to do where the lists cannot be written', async () => {
    const checking = check(at('others', 'a.mp4', 'lists'), true);
    await expect(checking).rejects.toThrow(UserError);
    await expect(checking).rejects.toThrow(/--out: .*lists cannot be made: ENOTDIR.*another folder/);
  });

  it('ends with an error where clips cannot be read', async () => {
    await expect(check(at('broken'), false)).rejects.toThrow(/VoxCeleb2 is not as it should be: 3 errors/);
  });
});
