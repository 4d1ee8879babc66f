import {
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
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '@tubelet/trainer';
import { aboutDataSet, type FaceDataSettings } from './data-set.js';
import { fillFolder, holdsDataSet } from './output-folder.js';

const settings: FaceDataSettings = {
  variety: 0.5,
  hold: 0,
  seed: 0,
  subjects: 2,
  clipsPerClass: 1,
  size: 32,
  frames: 4,
  framesPerSecond: 8,
  folds: 2,
};
const about = aboutDataSet(settings, 14, 'test');
let parent = '';
let folder = '';

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'tubelet-faces-'));
  folder = join(parent, 'deep', 'faces');
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const fill = async (into: string) => writeFileSync(join(into, 'faces.csv'), 'path,label\n');

describe('fillFolder', () => {
  it('puts the folder in its place once it is whole', async () => {
    await fillFolder(folder, about, async (partial) => {
      expect(existsSync(folder)).toBe(false);
      expect(readdirSync(partial)).toEqual(['unfinished.txt']);
      await fill(partial);
    });
    expect(readdirSync(folder).sort()).toEqual(['about.json', 'faces.csv']);
    expect(readdirSync(join(parent, 'deep'))).toEqual(['faces']);
    expect(JSON.parse(readFileSync(join(folder, 'about.json'), 'utf8'))).toMatchObject({ settings });
  });

  it('replaces an earlier data set, and keeps it when making the new one fails', async () => {
    await fillFolder(folder, about, async (partial) => writeFileSync(join(partial, 'classes.txt'), 'old'));
    const failing = fillFolder(folder, about, () => Promise.reject(new Error('no more paint')));
    await expect(failing).rejects.toThrow('no more paint');
    expect(readdirSync(folder).sort()).toEqual(['about.json', 'classes.txt']);
    expect(existsSync(`${folder}.partial`)).toBe(false);
    await fillFolder(folder, about, fill);
    expect(readdirSync(folder).sort()).toEqual(['about.json', 'faces.csv']);
  });

  it('removes what an interrupted run left', async () => {
    mkdirSync(join(`${folder}.partial`, 'clips'), { recursive: true });
    writeFileSync(join(`${folder}.partial`, 'unfinished.txt'), '');
    await fillFolder(folder, about, fill);
    expect(readdirSync(folder).sort()).toEqual(['about.json', 'faces.csv']);
    expect(existsSync(`${folder}.partial`)).toBe(false);
  });

  it.each([
    ['a folder of something else', 'faces', ['notes.md']],
    ['a data set to which something was added', 'faces', ['about.json', 'notes.md']],
    ['names like its own without its mark', 'faces', ['clips', 'faces.csv']],
    ['something else where it would be filled', 'faces.partial', ['notes.md']],
  ])('leaves alone %s', async (_, place, names) => {
    const there = join(parent, 'deep', place);
    mkdirSync(there, { recursive: true });
    for (const name of names) writeFileSync(join(there, name), JSON.stringify(about));
    let filled = false;
    const making = fillFolder(folder, about, async () => void (filled = true));
    await expect(making).rejects.toThrow(UserError);
    await expect(fillFolder(folder, about, fill)).rejects.toThrow(/holds something other/);
    expect(filled).toBe(false);
    expect(readdirSync(there).sort()).toEqual([...names].sort());
  });

  it('refuses a file in its place, and fills an empty folder', async () => {
    mkdirSync(join(parent, 'deep'));
    writeFileSync(folder, '');
    await expect(fillFolder(folder, about, fill)).rejects.toThrow(/is a file/);
    rmSync(folder);
    mkdirSync(folder);
    await fillFolder(folder, about, fill);
    expect(existsSync(join(folder, 'faces.csv'))).toBe(true);
  });
});

describe('holdsDataSet', () => {
  it('wants the same settings and all files', async () => {
    expect(holdsDataSet(folder, settings, [])).toBe(false);
    await fillFolder(folder, about, fill);
    expect(holdsDataSet(folder, settings, ['faces.csv'])).toBe(true);
    expect(holdsDataSet(folder, settings, ['faces.csv', 'classes.txt'])).toBe(false);
    expect(holdsDataSet(folder, { ...settings, seed: 1 }, ['faces.csv'])).toBe(false);
  });
});
