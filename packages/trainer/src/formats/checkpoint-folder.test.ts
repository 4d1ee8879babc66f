import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saveCheckpoint } from './checkpoint.js';
import { CheckpointCorruptError } from './checkpoint-errors.js';
import {
  checkpointDirectory,
  checkpointPath,
  latestCheckpoint,
  listCheckpoints,
  pruneCheckpoints,
} from './checkpoint-folder.js';
import { bundleProgram } from '../testing/bundle.js';
import { contentOfStep } from '../testing/checkpoint-content.js';
import { temporaryFolder } from '../testing/temporary-folder.js';

async function runWithSteps(...steps: number[]): Promise<string> {
  const run = await temporaryFolder();
  for (const step of steps) await saveCheckpoint(checkpointPath(run, step), contentOfStep(step, 16));
  return run;
}

function unexpectedWarning(message: string): never {
  throw new Error(`unexpected warning: ${message}`);
}

describe('latestCheckpoint', () => {
  it('is null for a run without checkpoints', async () => {
    expect(await latestCheckpoint(await temporaryFolder(), unexpectedWarning)).toBeNull();
  });

  it('is the one with the most steps, whatever else lies in the folder', async () => {
    const run = await runWithSteps(9, 100_000_000, 250);
    await writeFile(`${checkpointPath(run, 200_000_000)}.partial`, 'half');
    await writeFile(join(checkpointDirectory(run), 'notes.txt'), 'mine');
    const latest = await latestCheckpoint(run, unexpectedWarning);
    expect(latest).toMatchObject({ step: 100_000_000, path: checkpointPath(run, 100_000_000) });
    expect(latest?.content.metadata).toEqual({ step: '100000000' });
  });

  it('falls back to an older one with a warning that names both trouble and file', async () => {
    const run = await runWithSteps(1, 2, 3);
    for (const step of [2, 3]) {
      const bytes = await readFile(checkpointPath(run, step));
      await writeFile(checkpointPath(run, step), bytes.subarray(0, bytes.length - 1));
    }
    const warnings: string[] = [];
    expect(await latestCheckpoint(run, (message) => warnings.push(message))).toMatchObject({ step: 1 });
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain(checkpointPath(run, 3));
    expect(warnings[0]).toContain('cut short');
  });

  it('throws when none is sound', async () => {
    const run = await runWithSteps(1);
    await writeFile(checkpointPath(run, 1), 'x');
    const warnings: string[] = [];
    await expect(latestCheckpoint(run, (message) => warnings.push(message))).rejects.toBeInstanceOf(
      CheckpointCorruptError,
    );
    expect(warnings).toHaveLength(1);
  });
});

describe('pruneCheckpoints', () => {
  it('keeps the last ones, every so many steps, and files that are not its own', async () => {
    const run = await runWithSteps(10, 20, 30, 40, 50, 60);
    await writeFile(`${checkpointPath(run, 70)}.partial`, 'half');
    await writeFile(join(checkpointDirectory(run), 'notes.txt'), 'mine');
    // Weights that a validation may be writing.
    await writeFile(join(checkpointDirectory(run), 'best.safetensors.partial'), 'half');
    const removed = await pruneCheckpoints(run, { keepLast: 2, keepEverySteps: 30 });
    expect(removed.sort()).toEqual([
      checkpointPath(run, 10),
      checkpointPath(run, 20),
      checkpointPath(run, 40),
      `${checkpointPath(run, 70)}.partial`,
    ]);
    expect((await listCheckpoints(run)).map(({ step }) => step)).toEqual([60, 50, 30]);
    expect(await readdir(checkpointDirectory(run))).toContain('notes.txt');
  });

  it('keeps only the last one when nothing else is asked for', async () => {
    const run = await runWithSteps(1, 2);
    await pruneCheckpoints(run, { keepLast: 1 });
    expect((await listCheckpoints(run)).map(({ step }) => step)).toEqual([2]);
    await expect(pruneCheckpoints(run, { keepLast: 0 })).rejects.toThrow('keepLast is 0');
  });
});

describe('a process killed while it writes a checkpoint', () => {
  let folder = '';
  let program = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tubelet-trainer-'));
    program = await bundleProgram('interrupted-writer', folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Runs the writer until it has said `lines` lines, and kills it there. Returns what it said. */
  async function killAfter(run: string, step: number, pauseAt: number, lines: number): Promise<string[]> {
    const child = spawn(process.execPath, [program, run, String(step), String(pauseAt)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    const said: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      said.push(line);
      if (said.length === lines && child.pid !== undefined) process.kill(child.pid, 'SIGKILL');
    }
    await ended;
    return said;
  }

  it('leaves a sound newest checkpoint, at whichever call it died', async () => {
    const calls: string[] = [];
    for (let pauseAt = 1; ; pauseAt++) {
      const run = await runWithSteps(1);
      const [said] = await killAfter(run, 2, pauseAt, 1);
      if (said === undefined) throw new Error('the writer ended without a word; its errors are above');
      if (said === 'saved 2') break;
      calls.push(said.replace('paused ', ''));
      // The new checkpoint exists from the renaming on, and is whole from its first instant.
      const renamed = calls.includes('rename') && calls.at(-1) !== 'rename';
      const latest = await latestCheckpoint(run, unexpectedWarning);
      expect(latest?.step, `killed at call ${pauseAt}: ${calls.join(', ')}`).toBe(renamed ? 2 : 1);
      expect(latest?.content.metadata.step).toBe(renamed ? '2' : '1');
    }
    expect(calls.slice(0, 2)).toEqual(['open', 'write']);
    expect(calls.slice(-6)).toEqual(['sync', 'close', 'rename', 'open', 'sync', 'close']);
  });

  it('leaves a sound newest checkpoint when it dies at no chosen point', async () => {
    for (const lines of [1, 2, 4]) {
      const run = await temporaryFolder();
      const said = await killAfter(run, 1, 0, lines);
      const latest = await latestCheckpoint(run, unexpectedWarning);
      expect(latest?.step).toBeGreaterThanOrEqual(lines);
      expect(said).toContain(`saved ${lines}`);
      const { tensors } = contentOfStep(latest?.step ?? 0);
      expect(latest?.content.tensors.get('optimiser.step')).toEqual(tensors.get('optimiser.step'));
    }
  });
});
