import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCheckpoint } from '../formats/checkpoint.js';
import { CheckpointWriteError } from '../formats/checkpoint-errors.js';
import { checkpointPath, listCheckpoints } from '../formats/checkpoint-folder.js';
import { nodeFileSystem, type WriteFileSystem } from '../formats/file-write.js';
import type { Progress, ProgressUpdate } from '../program/progress.js';
import { createRun, logPath } from '../run/run-folder.js';
import { readLog, type LogRecord } from '../run/run-log.js';
import { contentOfStep } from '../testing/checkpoint-content.js';
import { EXAMPLE_CONFIG } from '../testing/example-config.js';
import { decodeMessage, readRecords } from '../testing/read-events.js';
import { temporaryFolder } from '../testing/temporary-folder.js';
import { positionOfStep, runSteps, type StepPosition, type LoopOptions } from './loop.js';

interface Harness {
  readonly options: LoopOptions;
  readonly positions: StepPosition[];
  readonly updates: ProgressUpdate[];
  readonly stop: { requested: boolean };
  records(): Promise<LogRecord[]>;
}

const noWaits = { dataWaitMs: 0, gpuWaitMs: 0 };

async function harness(change: Partial<LoopOptions> = {}): Promise<Harness> {
  const run = await createRun(join(await temporaryFolder(), 'run'), EXAMPLE_CONFIG);
  const positions: StepPosition[] = [];
  const updates: ProgressUpdate[] = [];
  const stop = { requested: false };
  const progress: Progress = {
    update: (update) => void updates.push(update),
    note: () => undefined,
    stop: () => undefined,
  };
  let nowMs = 0;
  const options: LoopOptions = {
    run,
    totalSteps: 5,
    stepsPerEpoch: 2,
    startStep: 0,
    clipsPerStep: 8,
    async step(position) {
      positions.push(position);
      return {
        ...{ position, dataWaitMs: 300, gpuWaitMs: 100 },
        async settle() {
          nowMs += 2000;
          return { loss: 1 / (1 + position.step) };
        },
      };
    },
    checkpoint: async (completedSteps) => contentOfStep(completedSteps, 4),
    checkpointEverySteps: 2,
    retention: { keepLast: 10 },
    progress,
    stop,
    nowMs: () => nowMs,
    ...change,
  };
  return {
    options,
    positions,
    updates,
    stop,
    async records() {
      const records: LogRecord[] = [];
      for await (const record of readLog(logPath(run.directory))) records.push(record);
      return records;
    },
  };
}

it('positionOfStep counts epochs and the steps in them from 0', () => {
  expect(positionOfStep(0, 3)).toEqual({ step: 0, epoch: 0, stepInEpoch: 0 });
  expect(positionOfStep(8, 3)).toEqual({ step: 8, epoch: 2, stepInEpoch: 2 });
});

describe('runSteps', () => {
  it('runs every step once, with checkpoints on the way and at the end', async () => {
    const { options, positions } = await harness();
    const result = await runSteps(options);
    expect(positions.map(({ step, epoch, stepInEpoch }) => [step, epoch, stepInEpoch])).toEqual([
      [0, 0, 0],
      [1, 0, 1],
      [2, 1, 0],
      [3, 1, 1],
      [4, 2, 0],
    ]);
    const { directory } = options.run;
    expect(result).toMatchObject({
      completedSteps: 5,
      finished: true,
      checkpointPath: checkpointPath(directory, 5),
    });
    expect((await listCheckpoints(directory)).map(({ step }) => step)).toEqual([5, 4, 2]);
    expect((await loadCheckpoint(result.checkpointPath)).metadata.step).toBe('5');
    expect(existsSync(result.reportPath)).toBe(true);
  });

  it('validates at the end of each epoch, before a checkpoint of that step', async () => {
    const { options, records } = await harness({
      stepsPerEpoch: 1,
      totalSteps: 4,
      endOfEpoch: async (epoch, completedSteps) =>
        epoch % 2 === 0 ? undefined : { 'validation/war': epoch + completedSteps / 10 },
    });
    await runSteps(options);
    const all = await records();
    const validations = all.filter(({ type }) => type === 'validation');
    expect(validations.map(({ step, epoch, metrics }) => [step, epoch, metrics])).toEqual([
      [2, 1, { 'validation/war': 1.2 }],
      [4, 3, { 'validation/war': 3.4 }],
    ]);
    const types = all.map(({ type, step }) => `${type} ${step}`);
    expect(types.indexOf('validation 2')).toBeLessThan(types.indexOf('checkpoint 2'));
    const events = readRecords(await readFile(options.run.tensorBoard.path)).map(decodeMessage);
    expect(events.slice(1)).toHaveLength(4 + 2);
  });

  it('logs each step, reports its speed and time left, and feeds TensorBoard', async () => {
    const { options, updates, records } = await harness();
    await runSteps(options);
    const steps = (await records()).filter(({ type }) => type === 'step');
    expect(steps.map(({ step, epoch }) => [step, epoch])).toEqual([
      [1, 0],
      [2, 0],
      [3, 1],
      [4, 1],
      [5, 2],
    ]);
    expect(steps[1]).toMatchObject({
      ...{ durationMs: 2000, dataWaitMs: 300, gpuWaitMs: 2100, clipsPerSecond: 4 },
      metrics: { loss: 0.5 },
    });
    expect(updates[1]).toMatchObject({ completedSteps: 2, totalSteps: 5, epoch: 0, remainingMs: 6000 });
    const events = readRecords(await readFile(options.run.tensorBoard.path)).map(decodeMessage);
    expect(events.slice(1).map((event) => event.get(2)?.[0])).toEqual([1, 2, 3, 4, 5]);
  });

  it('logs what JSON has no number for', async () => {
    const { options, records } = await harness({
      totalSteps: 1,
      step: async (position) => ({
        ...noWaits,
        position,
        settle: async () => ({ loss: NaN, norm: Infinity }),
      }),
    });
    await runSteps(options);
    const step = (await records()).find(({ type }) => type === 'step');
    expect(step?.metrics).toEqual({ loss: 'NaN', norm: 'Infinity' });
  });

  it('stops after the step in which the user asks for it, with a checkpoint', async () => {
    const { options, stop, positions, records } = await harness();
    const result = await runSteps({
      ...options,
      async step(position) {
        stop.requested = position.step === 2;
        return options.step(position);
      },
    });
    expect(result).toMatchObject({ completedSteps: 3, finished: false });
    expect(positions).toHaveLength(3);
    expect((await loadCheckpoint(result.checkpointPath)).metadata.step).toBe('3');
    expect((await records()).at(-1)).toMatchObject({ type: 'stop', step: 3 });
  });

  it('begins a step before the one before it is settled, but for what needs the state after it', async () => {
    const order: string[] = [];
    const { options } = await harness({
      checkpoint: async (completedSteps) => {
        order.push(`save ${completedSteps}`);
        return contentOfStep(completedSteps, 4);
      },
      endOfEpoch: async (epoch) => void order.push(`end of epoch ${epoch}`),
      stepsPerEpoch: 3,
      totalSteps: 6,
      checkpointEverySteps: 5,
      step: async (position) => {
        order.push(`begin ${position.step}`);
        return {
          ...noWaits,
          position,
          settle: async () => (order.push(`settle ${position.step}`), { loss: 0 }),
        };
      },
    });
    await runSteps(options);
    expect(order).toEqual([
      ...['begin 0', 'begin 1', 'settle 0', 'begin 2', 'settle 1', 'settle 2', 'end of epoch 0'],
      ...['begin 3', 'begin 4', 'settle 3', 'settle 4', 'save 5'],
      ...['begin 5', 'settle 5', 'end of epoch 1', 'save 6'],
    ]);
  });

  it('ends after the step that it is told to, with a checkpoint', async () => {
    const { options, positions } = await harness({ stopAfter: 3 });
    expect(await runSteps(options)).toMatchObject({ completedSteps: 3, finished: false });
    expect(positions).toHaveLength(3);
  });

  it('notes the failure of a step that is settled late, and saves nothing after it', async () => {
    const { options, records } = await harness({ totalSteps: 10, checkpointEverySteps: 3 });
    const failing = runSteps({
      ...options,
      step: async (position) => ({
        ...noWaits,
        position,
        settle: () =>
          position.step === 4 ? Promise.reject(new Error('diverged')) : Promise.resolve({ loss: 1 }),
      }),
    });
    await expect(failing).rejects.toThrow('diverged');
    expect((await records()).at(-1)).toMatchObject({ type: 'error', step: 4, message: 'diverged' });
    expect((await listCheckpoints(options.run.directory)).map(({ step }) => step)).toEqual([3]);
  });

  it.each([
    { isShared: false, settled: [0, 1, 2] },
    { isShared: true, settled: [0, 1] },
  ])(
    'settles the step before one that fails, but not if others share it: $isShared',
    async ({ isShared, settled }) => {
      const seen: number[] = [];
      const { options } = await harness();
      const failing = runSteps({
        ...options,
        isShared,
        step: async (position) => {
          if (position.step === 3) throw new Error('no clip');
          return { ...noWaits, position, settle: async () => (seen.push(position.step), { loss: 1 }) };
        },
      });
      await expect(failing).rejects.toThrow('no clip');
      expect(seen).toEqual(settled);
    },
  );

  it.each([false, true])('logs its end, but not before what the caller still does: %s', async (hasSequel) => {
    const { options, records } = await harness({ hasSequel });
    await runSteps(options);
    expect((await records()).some(({ type }) => type === 'end')).toBe(!hasSequel);
  });

  it('goes on from a checkpoint, and does nothing when all steps are done', async () => {
    const { options, positions, records } = await harness({ startStep: 3 });
    await runSteps(options);
    expect(positions.map(({ step }) => step)).toEqual([3, 4]);
    expect((await records())[0]).toMatchObject({ type: 'resume', step: 3 });
    const done = await harness({ startStep: 5 });
    expect(await runSteps(done.options)).toMatchObject({ completedSteps: 5, finished: true });
    expect(done.positions).toEqual([]);
  });

  it('takes steps while a checkpoint is written, and waits for it before the next and before the end', async () => {
    const events: string[] = [];
    let release = (): void => undefined;
    const begun = new Promise<void>((resolve) => (release = resolve));
    // The first file is not on the disk before two more steps have begun: a loop that waited for it would hang.
    const slow: WriteFileSystem = {
      ...nodeFileSystem,
      async open(path, flags) {
        const handle = await nodeFileSystem.open(path, flags);
        if (flags === 'r') return handle;
        return {
          write: handle.write.bind(handle),
          close: () => handle.close(),
          async sync() {
            await begun;
            events.push(`written ${/\d+(?=\.safetensors)/.exec(path)![0].slice(-1)}`);
            await handle.sync();
          },
        };
      },
    };
    const { options } = await harness({ totalSteps: 6, fileSystem: slow });
    const result = await runSteps({
      ...options,
      step: (position) => {
        events.push(`begin ${position.step}`);
        if (position.step === 3) release();
        return options.step(position);
      },
    });
    expect(events.indexOf('written 2')).toBeGreaterThan(events.indexOf('begin 3'));
    expect(events.filter((event) => event.startsWith('written'))).toEqual([
      'written 2',
      'written 4',
      'written 6',
    ]);
    expect((await loadCheckpoint(result.checkpointPath)).metadata.step).toBe('6');
  });

  it('ends soon after a checkpoint could not be written, and names the failure', async () => {
    const full: WriteFileSystem = {
      ...nodeFileSystem,
      rename: () => Promise.reject(Object.assign(new Error('simulated'), { code: 'ENOSPC' })),
    };
    const { options, positions, records } = await harness({ totalSteps: 1000, fileSystem: full });
    await expect(runSteps(options)).rejects.toThrow(CheckpointWriteError);
    expect(positions.length).toBeLessThanOrEqual(4 + 1);
    expect((await records()).at(-1)).toMatchObject({
      type: 'error',
      message: expect.stringContaining('ENOSPC'),
    });
    expect(await listCheckpoints(options.run.directory)).toEqual([]);
  });

  it('writes the checkpoints that are kept for good, also between those that are written anyway', async () => {
    const { options } = await harness({
      totalSteps: 8,
      checkpointEverySteps: 5,
      retention: { keepLast: 1, keepEverySteps: 2 },
    });
    await runSteps(options);
    expect((await listCheckpoints(options.run.directory)).map(({ step }) => step)).toEqual([8, 6, 4, 2]);
  });

  it('keeps the checkpoints that it is told to keep', async () => {
    const { options } = await harness({
      totalSteps: 8,
      checkpointEverySteps: 1,
      retention: { keepLast: 1, keepEverySteps: 3 },
    });
    await runSteps(options);
    expect((await listCheckpoints(options.run.directory)).map(({ step }) => step)).toEqual([8, 6, 3]);
  });

  it('passes a failing step on, notes it in the log and keeps the last checkpoint', async () => {
    const { options, records } = await harness();
    const failing = runSteps({
      ...options,
      step: (position) =>
        position.step === 3 ? Promise.reject(new Error('device lost')) : options.step(position),
    });
    await expect(failing).rejects.toThrow('device lost');
    expect((await records()).at(-1)).toMatchObject({ type: 'error', step: 3, message: 'device lost' });
    expect((await listCheckpoints(options.run.directory)).map(({ step }) => step)).toEqual([2]);
  });

  it.each<[Partial<LoopOptions>, string]>([
    [{ totalSteps: 0 }, 'totalSteps is 0'],
    [{ stepsPerEpoch: 0 }, 'stepsPerEpoch is 0'],
    [{ startStep: 6 }, 'startStep is 6'],
    [{ clipsPerStep: 0.5 }, 'clipsPerStep is 0.5'],
    [{ checkpointEverySteps: 0 }, 'checkpointEverySteps is 0'],
  ])('refuses %o', async (change, message) => {
    const { options } = await harness(change);
    await expect(runSteps(options)).rejects.toThrow(message);
  });
});
