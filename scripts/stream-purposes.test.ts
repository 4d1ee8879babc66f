// Streams of random numbers that differ in purpose never share a draw, as long as no two purposes have the same number.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './lib/root.mjs';

/** Every `streamPurpose(…)`, with its file. */
const declarations = ['packages', 'apps', 'benchmarks'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
    .filter((path) => /\/src\/.*\.ts$/.test(path) && !path.includes('node_modules'))
    .flatMap((path) =>
      [...readFileSync(join(root, path), 'utf8').matchAll(/(?<!function )\bstreamPurpose\(([^)]*)\)/g)].map(
        ([, number = '']) => ({ path, number, isTest: path.endsWith('.test.ts') }),
      ),
    ),
);

it('gives every purpose a number of its own, written out, that no test uses', () => {
  const used = declarations.filter(({ isTest }) => !isTest);
  expect(used.length).toBeGreaterThan(10);
  const ofTests = declarations.filter(({ isTest, number }) => isTest && number !== '-1');
  const taken = new Map(ofTests.map(({ number, path }) => [number, path]));
  for (const { path, number } of used) {
    expect(number, path).toMatch(/^\d+$/);
    expect(taken.get(number), `streamPurpose(${number}) of ${path}`).toBeUndefined();
    taken.set(number, path);
  }
});
