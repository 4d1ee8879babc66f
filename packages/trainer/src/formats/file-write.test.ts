import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileWriteError, nodeFileSystem, writeFileInPieces, writeTextFile } from './file-write.js';

let folder = '';
const at = (...names: string[]) => join(folder, ...names);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tubelet-file-write-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('writeFileInPieces', () => {
  it('writes text and bytes one after the other, in new folders too', async () => {
    await writeFileInPieces(at('new', 'folder', 'file'), ['größer\n', new Uint8Array([0, 255]), 'end']);
    const expected = Buffer.concat([Buffer.from('größer\n'), Buffer.from([0, 255]), Buffer.from('end')]);
    expect(await readFile(at('new', 'folder', 'file'))).toEqual(expected);
  });

  it('shows nothing under the name before the last piece', async () => {
    const seen: boolean[] = [];
    const pieces = (async function* () {
      for (const piece of ['a', 'b']) {
        seen.push(existsSync(at('file')));
        yield await Promise.resolve(piece);
      }
      seen.push(existsSync(at('file')));
    })();
    await writeFileInPieces(at('file'), pieces);
    expect(seen).toEqual([false, false, false]);
    expect(await readFile(at('file'), 'utf8')).toBe('ab');
  });

  it('keeps the old file when the pieces fail, and passes their error on', async () => {
    await writeFile(at('file'), 'old');
    const failure = new RangeError('no more pieces');
    const pieces = (function* () {
      yield 'new';
      throw failure;
    })();
    await expect(writeFileInPieces(at('file'), pieces)).rejects.toBe(failure);
    expect(await readFile(at('file'), 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('says how much it could not write, and stops the pieces', async () => {
    let stopped = false;
    const pieces = (function* () {
      try {
        yield 'four';
        yield 'more';
      } finally {
        stopped = true;
      }
    })();
    const noSpace = Object.assign(new Error('full'), { code: 'ENOSPC' });
    const fileSystem = {
      ...nodeFileSystem,
      open: async (path: string, flags: 'w' | 'r') => {
        const handle = await nodeFileSystem.open(path, flags);
        return {
          write: () => Promise.reject(noSpace),
          sync: () => handle.sync(),
          close: () => handle.close(),
        };
      },
    };
    const writing = writeFileInPieces(at('file'), pieces, { fileSystem });
    await expect(writing).rejects.toThrow(FileWriteError);
    await expect(writing).rejects.toMatchObject({ code: 'ENOSPC', neededBytes: 4, path: at('file') });
    expect(stopped).toBe(true);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('writeTextFile', () => {
  it('tells the size of a file that cannot even be begun', async () => {
    await writeFile(at('file'), '');
    const writing = writeTextFile(at('file', 'below'), 'größer');
    await expect(writing).rejects.toMatchObject({ name: 'FileWriteError', neededBytes: 8 });
  });
});
