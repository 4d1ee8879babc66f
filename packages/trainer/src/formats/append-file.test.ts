import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AppendFile } from './append-file.js';
import { FileWriteError } from './file-write.js';
import { temporaryFolder } from '../testing/temporary-folder.js';

describe('AppendFile', () => {
  it('keeps the stated part of an existing file and grows from there', async () => {
    const path = join(await temporaryFolder(), 'a');
    const first = new AppendFile(path, 0);
    first.append(Buffer.from('one two'));
    first.close();
    const second = new AppendFile(path, 4);
    second.append(Buffer.from('three'));
    second.flush();
    second.close();
    expect(await readFile(path, 'utf8')).toBe('one three');
  });

  it('reports a file that cannot be opened or written', async () => {
    const folder = await temporaryFolder();
    expect(() => new AppendFile(folder, 0)).toThrow(FileWriteError);
    const file = new AppendFile(join(folder, 'a'), 0);
    file.close();
    expect(() => file.append(Buffer.from('x'))).toThrow(FileWriteError);
    expect(() => file.append(Buffer.from('x'))).toThrow(join(folder, 'a'));
  });
});
