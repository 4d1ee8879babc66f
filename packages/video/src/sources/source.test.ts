import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NoReadableVideoError, VideoSourceError } from '../errors.js';
import { listVideos } from './source.js';
import { temporaryFolder } from '../testing/videos.js';

const folder = temporaryFolder();
const file = (...names: string[]) => join(folder.path, ...names);

/** The paths found, relative to the folder. */
async function found(source: string | string[]): Promise<string[]> {
  const { entries } = await listVideos(source);
  return entries.map(({ path }) => relative(folder.path, path));
}

beforeAll(() => {
  mkdirSync(file('set', 'b', 'deep'), { recursive: true });
  mkdirSync(file('set', 'frames'), { recursive: true });
  mkdirSync(file('nothing'));
  const names = [
    'set/c.mp4',
    'set/a.MP4',
    'set/notes.md',
    'set/.hidden.mp4',
    'set/b/deep/d.avi',
    'set/b/two words.webm',
  ];
  for (const name of [...names, 'set/frames/1.jpg', 'set/frames/2.jpg', 'nothing/readme']) {
    writeFileSync(file(...name.split('/')), '');
  }
  symlinkSync(file('gone'), file('set', 'dangling.mp4'));
  writeFileSync(
    file('set', 'list.txt'),
    [
      'c.mp4 3',
      '',
      'b/two words.webm 0',
      'b/two words.webm',
      'missing.mp4 1',
      `${file('set', 'frames')} happy`,
    ].join('\r\n'),
  );
});
afterAll(() => folder.remove());

describe('listVideos', () => {
  it('finds videos and folders of frames below a folder, in order, and says what it leaves out', async () => {
    const { entries, skipped } = await listVideos(file('set'));
    expect(entries.map(({ path }) => relative(file('set'), path))).toEqual([
      'a.MP4',
      'b/deep/d.avi',
      'b/two words.webm',
      'c.mp4',
      'frames',
    ]);
    const left = Object.fromEntries(skipped.map(({ path, reason }) => [relative(file('set'), path), reason]));
    expect(Object.keys(left).sort()).toEqual(['dangling.mp4', 'list.txt', 'notes.md']);
    expect(left['dangling.mp4']).toBe('a link to nothing');
  });

  it('follows glob patterns', async () => {
    expect(await found(file('set', '**', '*.{avi,webm}'))).toEqual([
      'set/b/deep/d.avi',
      'set/b/two words.webm',
    ]);
    expect(await found(file('set', 'fram*'))).toEqual(['set/frames']);
    await expect(listVideos(file('set', '*.mov'))).rejects.toThrow(VideoSourceError);
  });

  it('reads list files: order, labels, spaces in paths, paths relative to the file, missing ones', async () => {
    const { entries, skipped } = await listVideos(file('set', 'list.txt'));
    expect(entries).toEqual([
      { path: file('set', 'c.mp4'), label: '3' },
      { path: file('set', 'b', 'two words.webm'), label: '0' },
      { path: file('set', 'b', 'two words.webm') },
      { path: file('set', 'frames'), label: 'happy' },
    ]);
    expect(skipped).toEqual([
      { path: file('set', 'missing.mp4'), reason: `missing (line 5 of ${file('set', 'list.txt')})` },
    ]);
  });

  it('joins several sources', async () => {
    expect(await found([file('set', 'c.mp4'), file('set', 'b')])).toEqual([
      'set/c.mp4',
      'set/b/deep/d.avi',
      'set/b/two words.webm',
    ]);
  });

  it('does not wait for what is in a pipe in place of a list', async () => {
    execFileSync('mkfifo', [file('pipe.txt')]);
    await expect(listVideos(file('pipe.txt'))).rejects.toThrow(
      /pipe\.txt: the list cannot be read \(it is a pipe/,
    );
  });

  it('takes a folder that holds a folder of the name of an index for what it is', async () => {
    mkdirSync(file('odd', 'index.jsonl'), { recursive: true });
    writeFileSync(file('odd', 'a.mp4'), '');
    expect(await found(file('odd'))).toEqual(['odd/a.mp4']);
    await expect(listVideos(file('odd', 'index.jsonl'))).rejects.toThrow(/index\.jsonl is not a file/);
  });

  it('leaves out folders that cannot be read', async () => {
    mkdirSync(file('far'));
    writeFileSync(file('far', 'a.mp4'), '');
    // The paths of the last of these are longer than systems take, whoever asks.
    const nested = 'd=$(printf %0200d 0); for _ in $(seq 25); do mkdir $d && cd -P $d || exit; done';
    execFileSync('sh', ['-c', nested], { cwd: file('far') });
    const { entries, skipped } = await listVideos(file('far'));
    execFileSync('rm', ['-r', file('far')]);
    expect(entries).toEqual([{ path: file('far', 'a.mp4') }]);
    expect(skipped).toEqual([
      {
        path: expect.stringMatching(/0{200}$/) as unknown,
        reason: expect.stringContaining('ENAMETOOLONG') as unknown,
      },
    ]);
  });

  it('names a link that leads in a circle', async () => {
    mkdirSync(file('round'));
    symlinkSync(file('round'), file('round', 'again'));
    await expect(listVideos(file('round'))).rejects.toThrow(VideoSourceError);
    await expect(listVideos(file('round'))).rejects.toThrow(/again: links lead in a circle/);
  });

  it('names a source that is not there', async () => {
    await expect(listVideos(file('nowhere'))).rejects.toThrow(VideoSourceError);
    await expect(listVideos(file('nowhere'))).rejects.toThrow(/nowhere: there is no such file or folder/);
  });

  it('refuses a source without videos', async () => {
    await expect(listVideos(file('nothing'))).rejects.toThrow(NoReadableVideoError);
    await expect(listVideos(file('nothing'))).rejects.toThrow(/nothing holds no videos \(1 left out.*readme/);
    await expect(listVideos([])).rejects.toThrow(NoReadableVideoError);
  });
});
