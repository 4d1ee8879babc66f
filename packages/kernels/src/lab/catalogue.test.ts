import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { kernelCatalogue } from './catalogue.js';

const folder = fileURLToPath(new URL('..', import.meta.url));
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
const caseFiles = files.filter((file) => file.endsWith('.cases.ts'));

it('has every kernel that a case table defines', () => {
  const listed = new Set(kernelCatalogue.map(({ name }) => name));
  const defined = caseFiles.flatMap((file) => {
    const source = readFileSync(`${folder}${file}`, 'utf8');
    return [...source.matchAll(/^export const (\w+Kernel)\b/gm)].map((match) => match[1]!);
  });
  const catalogue = readFileSync(`${folder}lab/catalogue.ts`, 'utf8');
  const entries = new Set(catalogue.slice(catalogue.indexOf('kernelCatalogue')).match(/\w+Kernel\b/g));
  expect(defined.length).toBeGreaterThan(20);
  expect(defined.filter((name) => !entries.has(name))).toEqual([]);
  expect(listed.size).toBe(kernelCatalogue.length);
});

it('needs neither a test runner nor Node, directly or through the case tables', () => {
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    const source = readFileSync(path, 'utf8');
    for (const [, name] of source.matchAll(/(?:from|import) '([^']+)'/g)) {
      expect(name, `imported by ${path}`).toMatch(/^\./);
      if (name!.endsWith('.js')) visit(new URL(name!.replace(/\.js$/, '.ts'), `file://${path}`).pathname);
    }
  };
  visit(`${folder}lab/catalogue.ts`);
  expect(seen.size).toBeGreaterThan(caseFiles.length);
});
