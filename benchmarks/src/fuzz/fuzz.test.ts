import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fuzzReader } from './fuzz.js';
import { allReaders } from './readers.js';

// `npm run test:fuzz` gives them a hundred times as many.
const DIVISOR = 100;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tubelet-fuzz-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('reads or refuses whatever is in a file', async () => {
  const findings: string[] = [];
  for (const reader of await allReaders(folder)) {
    const inputs = Math.ceil(reader.share / DIVISOR);
    const { findings: found } = await fuzzReader(reader, { inputs, seed: 1 });
    findings.push(...found.map(({ what, stack }) => `${reader.name}: ${what}\n${stack.slice(0, 1200)}`));
  }
  expect(findings).toEqual([]);
});
