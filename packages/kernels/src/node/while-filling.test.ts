import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { whileFilling } from './while-filling.js';

it('tells how a folder grows until the work ends', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tubelet-filling-'));
  const told: number[] = [];
  let heard = () => {};
  const next = () => new Promise<void>((resolve) => (heard = resolve));
  const tell = (megabytes: number) => {
    told.push(megabytes);
    heard();
  };
  try {
    const result = await whileFilling(
      folder,
      tell,
      async () => {
        await next();
        writeFileSync(join(folder, 'fetched'), new Uint8Array(3e6));
        await next();
        return 'done';
      },
      1,
    );
    expect(result).toBe('done');
    expect(told[0]).toBe(0);
    expect(told.at(-1)).toBe(3);
    const before = told.length;
    await expect(whileFilling(folder, tell, () => Promise.reject(new Error('full')), 1)).rejects.toThrow(
      'full',
    );
    expect(told).toHaveLength(before);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
