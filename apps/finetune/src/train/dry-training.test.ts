import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logPath, readLog } from '@tubelet/trainer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeDotData } from '../testing/moving-dots.js';
import { trainInProcess } from '../testing/train-in-process.js';

let folder: string;
let data: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tubelet-dry-'));
  data = await writeDotData(join(folder, 'dots'), { subjects: 4 });
});
afterAll(() => rm(folder, { recursive: true }));

function totalBytes(text: string): number {
  const [, total, unit] = /^total +(\S+) (KiB|MiB) in use/m.exec(text) ?? [];
  return Number(total) * (unit === 'KiB' ? 2 ** 10 : 2 ** 20);
}

async function peakBytes(run: string): Promise<number> {
  let peak = NaN;
  for await (const record of readLog(logPath(run))) {
    if (record.type === 'memory') peak = record.peakGpuBytes as number;
  }
  return peak;
}

describe('tubelet finetune --dry-run', () => {
  it('says what a run then takes, with and without --recompute, and begins nothing', async () => {
    const words = '--fold 1 --epochs 1 --ema 0.5 --validate-on none';
    const told = await trainInProcess(data, join(folder, 'none'), `${words} --dry-run --memory-budget 8MiB`);
    expect(await readdir(folder)).toEqual(['dots']);
    expect(told.text).toMatch(/^activations .*; with --recompute .*iB$/m);
    expect(told.text).toMatch(/^largest +--batch-size \d+ fits 8.00 MiB/m);

    const digests = new Set<string>();
    for (const more of ['', ' --recompute']) {
      const { text } = await trainInProcess(data, join(folder, 'none'), `${words}${more} --dry-run`);
      const run = join(folder, `run${more.trim()}`);
      await trainInProcess(data, run, words + more);
      const total = totalBytes(text);
      const peak = await peakBytes(run);
      expect(total).toBeGreaterThan(0.98 * peak);
      expect(total).toBeLessThan(1.02 * peak);
      const [checkpoint] = await readdir(join(run, 'checkpoints'));
      const content = await readFile(join(run, 'checkpoints', checkpoint!));
      digests.add(createHash('sha256').update(content).digest('hex'));
    }
    expect(digests.size, 'the same weights').toBe(1);
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
