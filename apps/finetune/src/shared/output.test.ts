import fs from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { OptionError, UserError } from '@tubelet/trainer';
import {
  displayPath,
  OutputClosedError,
  requireWritable,
  requireWritablePicture,
  streamTerminal,
  writePicture,
} from './output.js';

let folder = '';
const at = (...names: string[]) => join(folder, ...names);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tubelet-output-'));
  await writeFile(at('file'), '');
});
afterAll(() => rm(folder, { recursive: true }));

describe('a terminal', () => {
  it('keeps results and remarks apart, and waits for the reader', async () => {
    const [output, notes] = [new PassThrough(), new PassThrough()];
    const { write, note } = streamTerminal(output, notes);
    await write('a\n');
    note('working');
    await write('b\n');
    expect([output.read(), notes.read()].map(String)).toEqual(['a\nb\n', 'working\n']);
    expect(output.listenerCount('error')).toBe(0);
  });

  it('says so when nobody reads any more, or whatever else is wrong', async () => {
    const failing = (error: Error) =>
      streamTerminal(new Writable({ write: (_chunk, _encoding, done) => done(error) }), new PassThrough());
    const closed = failing(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    await expect(closed.write('a')).rejects.toThrow(OutputClosedError);
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    await expect(failing(full).write('a')).rejects.toBe(full);
  });
});

describe('a path', () => {
  it('is shown relative where it is below', () => {
    expect(displayPath(join(process.cwd(), 'clips', 'a.mp4'))).toBe(join('clips', 'a.mp4'));
    for (const path of [join(process.cwd(), '..', 'a.mp4'), process.cwd(), at('a.mp4')])
      expect(displayPath(path)).toBe(path);
  });
});

describe('a file to be written', () => {
  it('may be new, in new folders, or replace another', () => {
    for (const path of [at('new'), at('new', 'folder', 'file'), at('file')]) requireWritable('--out', path);
  });

  it('is not a folder and lies in none that is a file', () => {
    expect(() => requireWritable('--out', folder)).toThrow(OptionError);
    expect(() => requireWritable('--out', at('file', 'a', 'b'))).toThrow(/--out: .*file is a file/);
  });

  it('lies in a folder that may be written', () => {
    // Nothing is forbidden to the superuser, who may be running this.
    const access = vi.spyOn(fs, 'accessSync').mockImplementation(() => {
      throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
    });
    syncBuiltinESMExports();
    onTestFinished(() => {
      access.mockRestore();
      syncBuiltinESMExports();
    });
    expect(() => requireWritable('--out', at('a'))).toThrow(UserError);
    expect(access.mock.lastCall).toEqual([folder, fs.constants.W_OK]);
  });

  it('is a picture by its name, where it is to be one', () => {
    for (const name of ['a.svg', 'a.PNG']) requireWritablePicture('--plot', at(name));
    for (const name of ['a.jpg', 'svg', 'a.svg.gz'])
      expect(() => requireWritablePicture('--plot', at(name))).toThrow(/\.svg or \.png/);
  });
});

describe('a picture', () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"></svg>';

  it('is written as it is, or drawn, by its name', async () => {
    await writePicture(at('a.svg'), svg);
    expect(await readFile(at('a.svg'), 'utf8')).toBe(svg);
    await writePicture(at('a.PNG'), svg);
    const png = await readFile(at('a.PNG'));
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([40, 20]);
  });
});
