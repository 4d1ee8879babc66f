// What packages offer is written out name by name, and every name says what it is where it is defined.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { root } from './lib/root.mjs';

const packages = readdirSync(join(root, 'packages'));

/** Every `index.ts` in the sources of a package, however deep. */
const indexesOf = (name: string) =>
  readdirSync(join(root, 'packages', name, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /(^|[\\/])index\.ts$/.test(path))
    .map((path) => join(root, 'packages', name, 'src', path));

/** The sources of what a package's `exports` offer. */
function entriesOf(name: string): string[] {
  const text = readFileSync(join(root, 'packages', name, 'package.json'), 'utf8');
  const { exports } = JSON.parse(text) as { exports: Record<string, { '@tubelet/source': string }> };
  return Object.values(exports).map((entry) => join(root, 'packages', name, entry['@tubelet/source']));
}

// One for all, since most of its time goes into files that all packages share.
const program = ts.createProgram(packages.flatMap(entriesOf), {
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  customConditions: ['@tubelet/source'],
  target: ts.ScriptTarget.ESNext,
  resolveJsonModule: true,
  noEmit: true,
  types: [],
});
const checker = program.getTypeChecker();

/** Names that a source file exports, with whether their definitions have doc comments. */
function exportsOf(path: string) {
  const file = checker.getSymbolAtLocation(program.getSourceFile(path)!);
  if (file === undefined) throw new Error(`${path} exports nothing`);
  return checker.getExportsOfModule(file).map((symbol) => {
    const origin = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const isModule = (origin.flags & ts.SymbolFlags.ValueModule) !== 0;
    return {
      name: symbol.name,
      isDocumented:
        isModule || [...origin.getDocumentationComment(checker), ...origin.getJsDocTags(checker)].length > 0,
    };
  });
}

it.each(packages)('names what %s offers one by one', (name) => {
  const indexes = indexesOf(name);
  expect(indexes).toContain(join(root, 'packages', name, 'src', 'index.ts'));
  for (const path of indexes) expect(readFileSync(path, 'utf8'), path).not.toMatch(/export \* from/);
});

it.each(packages)('documents every name that %s offers', (name) => {
  const names = entriesOf(name).flatMap(exportsOf);
  expect(names.length).toBeGreaterThan(0);
  expect(names.filter(({ isDocumented }) => !isDocumented).map((one) => one.name)).toEqual([]);
});
