import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import {
  createCounter,
  createProgress,
  formatDuration,
  formatUpdate,
  type ProgressUpdate,
} from './progress.js';

const UPDATE: ProgressUpdate = {
  completedSteps: 1,
  totalSteps: 100,
  epoch: 0,
  metrics: { loss: 0.98765, 'loss/motion': NaN, lr: 1.875e-4 },
  clipsPerSecond: 3.456,
  dataWaitMs: 12,
  gpuWaitMs: 340,
  remainingMs: 3_725_000,
};

function collecting(isTTY: boolean): { stream: PassThrough & { isTTY: boolean }; text: () => string } {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 200 });
  const parts: string[] = [];
  stream.on('data', (part: Buffer) => parts.push(part.toString()));
  return { stream, text: () => parts.join('') };
}

const drained = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it.each([
  [400, '0s'],
  [41_000, '41s'],
  [185_000, '3m05s'],
  [45_600_000, '12h40m'],
  [273_600_000, '3d04h'],
  [3_599_900, '1h00m'],
  [Infinity, '?'],
  [NaN, '?'],
])('a duration of %s ms is written %s', (durationMs, expected) => {
  expect(formatDuration(durationMs)).toBe(expected);
});

it('a step is written with its metrics, speed, what it waited for, and time left', () => {
  expect(formatUpdate(UPDATE)).toBe(
    'epoch 1  loss 0.9877  loss/motion NaN  lr 1.88e-4  3.46 clips/s  waited 12 ms for data, 340 for the GPU  ETA 1h02m',
  );
});

it('counts are written as they are', () => {
  const metrics = { 'loss scale': 65536, 'skipped steps': 0, lr: 2 ** 20 };
  expect(formatUpdate({ ...UPDATE, metrics })).toContain(
    'loss scale 65536  skipped steps 0  lr 1048576  3.46',
  );
});

describe('without a terminal', () => {
  it('prints plain lines: the first, then one every ten seconds, and the last', async () => {
    const { stream, text } = collecting(false);
    let nowMs = 0;
    const progress = createProgress(stream, () => nowMs);
    for (const [atMs, completedSteps] of [
      [0, 1],
      [9_000, 2],
      [10_000, 3],
      [11_000, 4],
      [12_000, 100],
    ] as const) {
      nowMs = atMs;
      progress.update({ ...UPDATE, completedSteps });
    }
    progress.note('a word');
    progress.stop();
    await drained();
    const lines = text().trimEnd().split('\n');
    expect(lines.map((line) => line.split('  ')[0])).toEqual([
      'step 1/100',
      'step 3/100',
      'step 100/100',
      'a word',
    ]);
    expect(lines[0]).toContain('loss 0.9877');
  });
});

describe('on a terminal', () => {
  it('draws a bar and prints notes above it', async () => {
    const { stream, text } = collecting(true);
    const listeners = process.listenerCount('SIGINT');
    const progress = createProgress(stream);
    progress.note('before');
    progress.update(UPDATE);
    progress.update({ ...UPDATE, completedSteps: 2 });
    progress.note('between');
    expect(process.listenerCount('SIGINT')).toBe(listeners);
    progress.stop();
    progress.note('after');
    await drained();
    for (const word of ['before', 'between', 'after']) expect(text().split(`${word}\n`)).toHaveLength(2);
    expect(text()).toContain('2/100  epoch 1  loss 0.9877');
  });
});

describe('a count', () => {
  it('is printed every ten seconds and at the end, with speed and time left', async () => {
    const { stream, text } = collecting(false);
    let nowMs = 0;
    const counter = createCounter('clips', stream, () => nowMs);
    for (const [atMs, done] of [
      [1_000, 50],
      [10_000, 200],
      [12_000, 240],
      [50_000, 1000],
    ] as const) {
      nowMs = atMs;
      counter.update(done, 1000);
    }
    counter.stop();
    await drained();
    expect(text()).toBe('200/1000  clips  20/s  ETA 40s\n1000/1000  clips  20/s  ETA 0s\n');
  });

  it('is a bar on a terminal', async () => {
    const { stream, text } = collecting(true);
    const counter = createCounter('clips', stream, () => 0);
    counter.update(7, 9);
    counter.stop();
    await drained();
    expect(text()).toContain('7/9  clips  ?/s  ETA 0s');
  });
});
