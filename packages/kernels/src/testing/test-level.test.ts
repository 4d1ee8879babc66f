import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { drawsOfLevel, parseTestLevel } from './test-level.js';

it('is daily unless the rest is asked for; other names are refused', () => {
  expect(parseTestLevel(undefined)).toBe('daily');
  expect(parseTestLevel('rest')).toBe('rest');
  expect(() => parseTestLevel('full')).toThrow('TUBELET_TEST is "full": set it to daily or rest');
});

it('puts every draw into exactly one level', () => {
  expect(drawsOfLevel(4, 'daily')).toEqual({ from: 0, to: 4 });
  expect(drawsOfLevel(4, 'rest')).toEqual({ from: 4, to: 24 });
});

it('finds the rest beside case tables, where alone it is looked for', () => {
  const folder = fileURLToPath(new URL('..', import.meta.url));
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const beside = paths
    .filter((path) => path.endsWith('.cases.ts'))
    .map((path) => path.replace(/cases\.ts$/, 'test.ts'));
  const withRest = paths
    .filter((path) => path.endsWith('.test.ts') && !path.startsWith('testing'))
    .filter((path) =>
      /\b(testKernel\(|checkKernel\(|casesFor\(|isFullTest\b)/.test(readFileSync(join(folder, path), 'utf8')),
    );
  expect(withRest.length).toBeGreaterThan(15);
  expect(beside).toEqual(expect.arrayContaining(withRest));
});
