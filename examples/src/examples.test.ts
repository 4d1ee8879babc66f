import type { Runtime } from '@tubelet/kernels';
import * as gpu from '@tubelet/kernels/node';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, expect, it, vi } from 'vitest';
// Test code of a neighbour, which is no part of what its package offers.
import { publishedArchive } from '../../packages/mae-dfer/src/import/testing/published-archive.js';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

afterEach(() => vi.restoreAllMocks());

/** The lines that a program prints; it leaves its GPU open. */
async function linesOf(run: () => Promise<unknown>): Promise<string[]> {
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const open = vi.spyOn(gpu, 'openNodeRuntime');
  await run();
  for (const { value } of open.mock.settledResults) gpu.closeNodeRuntime(value as Runtime);
  return log.mock.calls.map(([line]) => String(line));
}

const lossOf = (line: string) => Number(/loss (.*)$/.exec(line)![1]);

it('learns to write', async () => {
  const lines = await linesOf(() => import('./gpt.js'));
  const losses = lines.slice(0, -1).map(lossOf);
  const letters = new Set(read('../text.txt').replaceAll('\n', ' ')).size;
  expect(losses[0]).toBeGreaterThan(0.8 * Math.log(letters));
  expect(losses.at(-1)).toBeLessThan(0.6 * losses[0]!);
  expect(lines.at(-1)).toHaveLength(32 + 60);
});

it('prints the features of a video', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tubelet-examples-'));
  const arguments_ = process.argv;
  try {
    mkdirSync(join(folder, 'video'));
    for (let i = 0; i < 16; i++) {
      const background = { r: 10 * i, g: 90, b: 200 - 10 * i };
      const frame = sharp({ create: { width: 64, height: 48, channels: 3, background } });
      await frame.png().toFile(join(folder, 'video', `${String(i).padStart(3, '0')}.png`));
    }
    writeFileSync(join(folder, 'model.pth'), publishedArchive());
    process.argv = [process.argv[0]!, 'lgi-features', join(folder, 'video'), join(folder, 'model.pth')];
    const [line] = await linesOf(() => import('./lgi-features.js'));
    const feature = line!.split(' ').map(Number);
    expect(feature).toHaveLength(64);
    expect(feature.every(Number.isFinite)).toBe(true);
    expect(new Set(feature).size).toBeGreaterThan(32);
  } finally {
    process.argv = arguments_;
    rmSync(folder, { recursive: true, force: true });
  }
});
