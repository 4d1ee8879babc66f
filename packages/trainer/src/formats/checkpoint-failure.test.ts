import { execFile } from 'node:child_process';
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadCheckpoint, saveCheckpoint } from './checkpoint.js';
import { CheckpointWriteError } from './checkpoint-errors.js';
import { nodeFileSystem, type WriteFileSystem } from './file-write.js';
import { contentOfStep } from '../testing/checkpoint-content.js';
import { temporaryFolder } from '../testing/temporary-folder.js';

const run = promisify(execFile);

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

/** A disk with room for `roomBytes`: writes what fits, then fails with `code`. */
function limitedDisk(roomBytes: number, code: string): WriteFileSystem {
  let room = roomBytes;
  return {
    ...nodeFileSystem,
    statfs: () => Promise.resolve({ bavail: roomBytes / 8, bsize: 8 }),
    async open(path, flags) {
      const handle = await nodeFileSystem.open(path, flags);
      return {
        sync: () => handle.sync(),
        close: () => handle.close(),
        async write(bytes, offset, length, position) {
          if (room === 0) throw systemError(code);
          const { bytesWritten } = await handle.write(bytes, offset, Math.min(room, length), position);
          room -= bytesWritten;
          return { bytesWritten };
        },
      };
    },
  };
}

async function failure(path: string, fileSystem?: WriteFileSystem): Promise<CheckpointWriteError> {
  const error = await saveCheckpoint(path, contentOfStep(2), fileSystem).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CheckpointWriteError);
  return error as CheckpointWriteError;
}

describe('a checkpoint that cannot be written', () => {
  it.each(['ENOSPC', 'EDQUOT'])(
    'for lack of space (%s) leaves the earlier one alone and says how much is needed',
    async (code) => {
      const path = join(await temporaryFolder(), 'a.safetensors');
      await saveCheckpoint(path, contentOfStep(1));
      const before = await readFile(path);
      const error = await failure(path, limitedDisk(100_000, code));
      expect(error).toMatchObject({ path, code, freeBytes: 100_000, exitCode: 1 });
      expect(error.neededBytes).toBe(before.length);
      for (const part of [path, code, String(before.length), '100000', 'untouched']) {
        expect(error.message).toContain(part);
      }
      expect(await readdir(join(path, '..'))).toEqual(['a.safetensors']);
      expect((await readFile(path)).equals(before)).toBe(true);
    },
  );

  it.each(['open', 'rename', 'mkdir'] as const)(
    'for lack of permission in %s says so and leaves nothing',
    async (call) => {
      const folder = await temporaryFolder();
      const path = join(folder, 'a.safetensors');
      const denied: WriteFileSystem = {
        ...nodeFileSystem,
        [call]: () => Promise.reject(systemError('EACCES')),
      };
      const error = await failure(path, denied);
      expect(error.code).toBe('EACCES');
      expect(error.message).toContain('permission denied (EACCES)');
      expect(await readdir(folder)).toEqual([]);
    },
  );

  it('because the disk fails when flushing leaves nothing', async () => {
    const folder = await temporaryFolder();
    const failing: WriteFileSystem = {
      ...nodeFileSystem,
      async open(path, flags) {
        const handle = await nodeFileSystem.open(path, flags);
        return {
          write: handle.write.bind(handle),
          close: () => handle.close(),
          sync: () => Promise.reject(systemError('EIO')),
        };
      },
    };
    expect((await failure(join(folder, 'a.safetensors'), failing)).message).toContain('EIO');
    expect(await readdir(folder)).toEqual([]);
  });

  it('because its folder is a file', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), 'x');
    expect((await failure(join(folder, 'file', 'a.safetensors'))).message).toContain(folder);
  });

  it('on a full disk: a real one where file systems may be mounted, and a short quota of writes', async () => {
    const folder = await temporaryFolder();
    const disk = join(folder, 'disk');
    await mkdir(disk);
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', disk]).then(
      () => true,
      () => false,
    );
    if (mounted) onTestFinished(async () => void (await run('umount', ['-l', disk])));
    const path = join(disk, 'step-1.safetensors');
    const next = join(disk, 'step-2.safetensors');
    await saveCheckpoint(path, contentOfStep(1));
    // Room for the first checkpoint of 4 MiB and not for a second.
    const error = await failure(next, mounted ? undefined : limitedDisk(1 << 21, 'ENOSPC'));
    expect(error.code).toBe('ENOSPC');
    expect(error.neededBytes).toBe((await stat(path)).size);
    expect(error.freeBytes).toBeGreaterThan(1 << 20);
    expect(error.freeBytes).toBeLessThan(error.neededBytes);
    expect(await readdir(disk)).toEqual(['step-1.safetensors']);
    expect((await loadCheckpoint(path)).metadata.step).toBe('1');
  });
});
