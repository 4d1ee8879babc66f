import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logPath, readLog } from '@tubelet/trainer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeDotData } from './testing/moving-dots.js';
import { trainInProcess } from './testing/train-in-process.js';

let folder: string;
let data: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tubelet-dry-'));
  data = await writeDotData(join(folder, 'dots'), { subjects: 4 });
});
afterAll(() => rm(folder, { recursive: true }));

describe('finetune train --dry-run', () => {
  it('says what a run then takes, and begins nothing', async () => {
    const run = join(folder, 'run');
    const words = '--fold 1 --epochs 1 --ema 0.5 --validate-on none';
    const { text } = await trainInProcess(data, run, `${words} --dry-run --memory-budget 8MiB`);
    expect(await readdir(folder)).toEqual(['dots']);
    const [, total, unit] = /^total +(\S+) (KiB|MiB) in use/m.exec(text) ?? [];
    expect(text).toMatch(/^largest +--batch-size \d+ fits 8.00 MiB/m);

    await trainInProcess(data, run, words);
    let peak = NaN;
    for await (const record of readLog(logPath(run))) {
      if (record.type === 'memory') peak = record.peakGpuBytes as number;
    }
    expect(Number(total) * (unit === 'KiB' ? 2 ** 10 : 2 ** 20)).toBeGreaterThan(0.98 * peak);
    expect(Number(total) * (unit === 'KiB' ? 2 ** 10 : 2 ** 20)).toBeLessThan(1.02 * peak);
  });

  it('takes only batches that can be mixed', async () => {
    const { text } = await trainInProcess(
      data,
      join(folder, 'none'),
      '--fold 1 --mixup 0.8 --dry-run --memory-budget 3MiB',
    );
    const [, largest] = /^largest +--batch-size (\d+) fits/m.exec(text) ?? [];
    expect(Number(largest) % 2).toBe(0);
  });
});
