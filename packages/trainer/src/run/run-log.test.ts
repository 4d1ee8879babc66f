import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../errors.js';
import { RunLog, readLog, type LogRecord } from './run-log.js';
import { temporaryFolder } from '../testing/temporary-folder.js';

async function logOfSteps(...steps: number[]): Promise<string> {
  const path = join(await temporaryFolder(), 'log.jsonl');
  const log = new RunLog(path, 0);
  for (const step of steps) log.append({ type: 'step', step, text: 'ü' });
  log.close();
  return path;
}

async function stepsIn(path: string): Promise<number[]> {
  const records: LogRecord[] = [];
  for await (const record of readLog(path)) records.push(record);
  return records.map(({ step }) => step);
}

describe('RunLog', () => {
  it('has every record on the disk as soon as it is appended', async () => {
    const path = join(await temporaryFolder(), 'log.jsonl');
    const log = new RunLog(path, 0);
    log.append({ type: 'step', step: 1, metrics: { loss: 0.25 } });
    expect(await readFile(path, 'utf8')).toBe('{"type":"step","step":1,"metrics":{"loss":0.25}}\n');
    log.flush();
    log.close();
  });

  it.each<[number, number[]]>([
    [0, [0, 9]],
    [2, [0, 1, 2, 9]],
    [3, [0, 1, 2, 3, 9]],
    [4, [0, 1, 2, 3, 4, 9]],
    [100, [0, 1, 2, 3, 4, 9]],
  ])('resumed after step %s goes on without duplicates', async (completedSteps, expected) => {
    const path = await logOfSteps(0, 1, 2, 3, 4);
    const log = new RunLog(path, completedSteps);
    log.append({ type: 'step', step: 9 });
    log.close();
    expect(await stepsIn(path)).toEqual(expected);
  });

  it('cuts off the line that a kill left unfinished', async () => {
    for (const half of ['{"type":"step","st', '{"type":"step","step":2}', '\0\0\0']) {
      const path = await logOfSteps(0, 1);
      await appendFile(path, half);
      const log = new RunLog(path, 5);
      log.append({ type: 'step', step: 2 });
      log.close();
      expect(await stepsIn(path), half).toEqual([0, 1, 2]);
    }
  });

  it('refuses to cut off good records behind a damaged line, and leaves the file as it is', async () => {
    const path = await logOfSteps(0, 1);
    await appendFile(path, 'nonsense\n{"type":"step","step":2}\n');
    const before = await readFile(path, 'utf8');
    expect(() => new RunLog(path, 2)).toThrow(`${path}, line 3`);
    expect(() => new RunLog(path, 2)).toThrow(UserError);
    expect(await readFile(path, 'utf8')).toBe(before);
    // Everything behind the damaged line is run again: nothing is lost.
    new RunLog(path, 1).close();
    expect(await stepsIn(path)).toEqual([0, 1]);
  });
});

describe('readLog', () => {
  it('passes over an unfinished last line, and names a damaged one in the middle', async () => {
    const path = await logOfSteps(1, 2);
    await appendFile(path, '{"type":');
    expect(await stepsIn(path)).toEqual([1, 2]);
    await writeFile(path, '{"type":"step","step":1}\n[]\n{"type":"step","step":2}\n');
    await expect(stepsIn(path)).rejects.toThrow(`${path}, line 2`);
  });

  it('says that there is no log', async () => {
    const path = join(await temporaryFolder(), 'log.jsonl');
    await expect(stepsIn(path)).rejects.toThrow(`no log at ${path}`);
  });
});
