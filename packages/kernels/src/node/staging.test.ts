import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeStaging } from './staging.js';

it('is empty, and takes the place of what killed processes have left, not of what others fill', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tubelet-staging-'));
  const place = join(folder, 'deep', 'place');
  try {
    const { pid } = spawnSync(process.execPath, ['--version']);
    const [ended, running] = [pid, process.ppid].map((one) => `${place}.${hostname()}.${one}`);
    const elsewhere = `${place}.${hostname()}-elsewhere.${pid}`;
    for (const left of [ended!, running!, elsewhere]) mkdirSync(left, { recursive: true });
    writeFileSync(join(makeStaging(place), 'half'), '');
    const again = makeStaging(place);
    expect(readdirSync(again)).toEqual([]);
    expect([ended!, running!, elsewhere].map((left) => existsSync(left))).toEqual([false, true, true]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
