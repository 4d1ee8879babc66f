import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FileWriteError } from '../formats/file-write.js';
import { isRunning, thisProcess } from './process-identity.js';
import { isInUse, RunInUseError, RunLock, RunTakenError } from './run-lock.js';
import { temporaryFolder } from '../testing/temporary-folder.js';

// Quick, for owners of other systems.
const TIMING = { beatMs: 20, silenceMs: 200 };
const lockOf = (directory: string, notes: string[] = []) =>
  new RunLock(directory, (note) => void notes.push(note), TIMING);

async function lockOfOther(directory: string, change: object): Promise<string> {
  const path = join(directory, 'lock.json');
  await mkdir(directory, { recursive: true });
  const owner = { ...thisProcess(), since: '2026-01-02T03:04:05.000Z', token: 'another', ...change };
  await writeFile(path, JSON.stringify(owner));
  return path;
}

async function idleProcess(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)']);
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  return child;
}

describe('a run folder', () => {
  it('is one program’s at a time, from taking it to giving it back', async () => {
    const directory = join(await temporaryFolder(), 'run');
    const first = lockOf(directory);
    await first.take();
    await first.take();
    first.requireHeld();
    expect(isInUse(directory)).toBe(true);
    const error = await lockOf(directory)
      .take()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RunInUseError);
    expect((error as Error).message).toMatch(
      new RegExp(`run is in use by process ${process.pid} on .*lock\\.json.*kill ${process.pid}.*--out`),
    );
    first.release();
    expect(await readdir(directory)).toEqual([]);
    expect(isInUse(directory)).toBe(false);
    await lockOf(directory).take();
  });

  it('is lost by an owner that has died, also where another process has its pid now', async () => {
    const directory = await temporaryFolder();
    const child = await idleProcess();
    const path = await lockOfOther(directory, { pid: child.pid, began: '' });
    await expect(lockOf(directory).take()).rejects.toThrow(`process ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const lock = lockOf(directory);
    await lock.take();
    expect(await readFile(path, 'utf8')).toContain(`"pid": ${process.pid}`);
    lock.release();
    await lockOfOther(directory, { pid: process.pid, began: '1' });
    expect(isRunning({ ...thisProcess(), began: '1' })).toBe(process.platform === 'linux' ? false : true);
    if (process.platform === 'linux') await lock.take();
  });

  it('is lost by an owner on another system that gives no sign of life, and by none that does', async () => {
    const directory = await temporaryFolder();
    const path = await lockOfOther(directory, { host: 'elsewhere' });
    expect(isInUse(directory)).toBeUndefined();
    const beat = setInterval(() => void utimes(path, new Date(), new Date()), TIMING.beatMs);
    await expect(lockOf(directory).take()).rejects.toThrow(/on elsewhere/);
    clearInterval(beat);
    const notes: string[] = [];
    const lock = lockOf(directory, notes);
    await lock.take();
    expect(notes).toEqual([expect.stringMatching(/process \d+ on elsewhere.*sign of life/)]);
    expect(await readdir(directory)).toEqual(['lock.json']);
  });

  it('is got by one of many that find it left over', async () => {
    const directory = await temporaryFolder();
    await lockOfOther(directory, { pid: 2 ** 22 + 1 });
    const taken = await Promise.allSettled(Array.from({ length: 8 }, () => lockOf(directory).take()));
    expect(taken.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await readdir(directory)).toEqual(['lock.json']);
  });

  it('is not locked for ever by what a kill left half-written', async () => {
    const directory = await temporaryFolder();
    await writeFile(join(directory, 'lock.json'), '{"pid": 12');
    await lockOf(directory).take();
  });

  it('is known to be another’s before more is written, and locked again where only the lock is gone', async () => {
    const directory = await temporaryFolder();
    const lock = lockOf(directory);
    await lock.take();
    const path = await lockOfOther(directory, { host: 'elsewhere' });
    expect(() => lock.requireHeld()).toThrow(RunTakenError);
    expect(() => lock.requireHeld()).toThrow(/taken over by process \d+ on elsewhere/);
    await expect(lock.take()).rejects.toThrow(RunTakenError);
    await utimes(path, 1, 1);
    await delay(5 * TIMING.beatMs);
    expect(statSync(path).mtimeMs, 'no sign of life in a lock of another').toBe(1000);
    lock.release();
    expect(existsSync(path), 'a lock of another stays').toBe(true);
    const other = lockOf(join(directory, 'other'));
    await other.take();
    await rm(join(directory, 'other', 'lock.json'));
    other.requireHeld();
    expect(await readdir(join(directory, 'other'))).toEqual(['lock.json']);
    await rm(join(directory, 'other'), { recursive: true });
    expect(() => other.requireHeld(), 'the whole folder is gone').toThrow(FileWriteError);
  });

  it('is not looked at again for every record, but after a beat', async () => {
    const directory = await temporaryFolder();
    const [restless, patient] = [0, 3_600_000].map(
      (beatMs) => new RunLock(directory, () => undefined, { beatMs, silenceMs: 3_600_000 }),
    ) as [RunLock, RunLock];
    await patient.take();
    patient.requireHeldLately();
    const path = await lockOfOther(directory, { host: 'elsewhere' });
    patient.requireHeldLately();
    expect(() => patient.requireHeld()).toThrow(RunTakenError);
    await rm(path);
    await restless.take();
    restless.requireHeldLately();
    await lockOfOther(directory, { host: 'elsewhere' });
    expect(() => restless.requireHeldLately()).toThrow(RunTakenError);
    for (const lock of [restless, patient]) lock.release();
  });

  it('cannot be taken where it cannot be written', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), '');
    await expect(lockOf(join(folder, 'file', 'run')).take()).rejects.toThrow(FileWriteError);
  });
});
