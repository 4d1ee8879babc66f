// Doc comments say in one way what a function throws: `@throws NameOfError when …`.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './lib/root.mjs';

const sources = ['packages', 'apps', 'benchmarks', 'examples', 'scripts'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts') && !/\/(node_modules|dist|\.cache)\/|doc-comments/.test(path)),
);

/** Doc comments that say it otherwise: in a sentence, or with the error in braces. */
const otherwise = (text: string) =>
  [...text.matchAll(/\/\*\*.*?\*\//gs)]
    .map(([comment]) => comment.replaceAll(/\s*\n\s*\* ?/g, ' '))
    .filter((comment) => /(?:\/\*\*|[.)”`]) Throws |@throws \{/.test(comment));

it('names what is thrown behind @throws, without braces', () => {
  expect(sources.length).toBeGreaterThan(500);
  const found = sources.flatMap((path) =>
    otherwise(readFileSync(join(root, path), 'utf8')).map((comment) => `${path}: ${comment}`),
  );
  expect(found).toEqual([]);
  expect(otherwise('/** Reads it. Throws `ReadError`. */ /** @throws {ReadError} if not */')).toHaveLength(2);
});
