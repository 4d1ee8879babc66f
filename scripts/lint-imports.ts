// Holds the sources to what CONTRIBUTING.md draws under "What may import what", and finds circles of imports, those of
// types included. Part of `npm run lint`.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';
import { root } from './lib/root.mjs';

const models = ['kernels', 'autograd', 'mae-dfer'];
const packages = [...models, 'mpi', 'video', 'trainer'];

/** The packages of ours that the sources of a workspace may import; tests may import what they need. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  'packages/kernels': [],
  'packages/autograd': ['kernels'],
  'packages/mae-dfer': ['kernels', 'autograd'],
  'packages/video': ['kernels'],
  'packages/mpi': [],
  'packages/trainer': [...models, 'mpi', 'video'],
  'apps/faces': ['kernels', 'video', 'trainer'],
  'apps/pretrain': packages,
  'apps/finetune': packages,
  'apps/parity': packages,
  'apps/tubelet': [...packages, 'faces', 'pretrain', 'finetune', 'benchmarks'],
  'apps/playground': [...models, 'video'],
  benchmarks: packages,
  examples: packages,
};

function filesOf(workspace: string): string[] {
  const folder = `${workspace}/src`;
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts'));
}

/** What a file imports or exports from elsewhere, as it is written there. */
function specifiersOf(path: string): string[] {
  const source = ts.createSourceFile(path, readFileSync(join(root, path), 'utf8'), ts.ScriptTarget.Latest);
  return source.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
    const { moduleSpecifier } = statement;
    return moduleSpecifier && ts.isStringLiteral(moduleSpecifier) ? [moduleSpecifier.text] : [];
  });
}

/** The file of a relative import; undefined for what is not TypeScript. */
function targetOf(path: string, specifier: string): string | undefined {
  const base = posix.join(posix.dirname(path), specifier);
  return [base, base.replace(/\.js$/, '.ts')].find(
    (candidate) => candidate.endsWith('.ts') && existsSync(join(root, candidate)),
  );
}

const problems: string[] = [];
const imports = new Map<string, string[]>();
for (const [workspace, mayImport] of Object.entries(allowed)) {
  for (const path of filesOf(workspace)) {
    const specifiers = specifiersOf(path);
    const targets = specifiers
      .filter((specifier) => specifier.startsWith('.'))
      .flatMap((specifier) => targetOf(path, specifier) ?? []);
    imports.set(path, targets);
    for (const target of targets) {
      // What tests share is no entry of a package.
      if (!target.startsWith(`${workspace}/`) && !target.includes('/testing/')) {
        problems.push(`${path} imports ${target} by its path: import the package by its name`);
      }
    }
    if (/[.-]test\.ts$|\/testing\//.test(path)) continue;
    for (const specifier of specifiers) {
      const name = /^@tubelet\/([^/]+)/.exec(specifier)?.[1];
      if (name === undefined || mayImport.includes(name)) continue;
      const list = mayImport.length > 0 ? mayImport.join(', ') : 'none of our packages';
      problems.push(`${path} imports ${specifier}: ${workspace} may import ${list}`);
    }
  }
}

/** Groups of files that all reach one another (Tarjan, 1972). */
function circles(): string[][] {
  const found: string[][] = [];
  const order = new Map<string, number>();
  const stack: string[] = [];
  /** Gives the lowest place in `order` of what a file reaches. */
  const visit = (path: string): number => {
    const place = order.size;
    order.set(path, place);
    stack.push(path);
    let lowest = place;
    for (const target of imports.get(path) ?? []) {
      const seen = order.get(target);
      if (seen === undefined) lowest = Math.min(lowest, visit(target));
      else if (stack.includes(target)) lowest = Math.min(lowest, seen);
    }
    if (lowest === place) {
      const circle = stack.splice(stack.indexOf(path));
      if (circle.length > 1) found.push(circle);
    }
    return lowest;
  };
  for (const path of imports.keys()) if (!order.has(path)) visit(path);
  return found;
}

for (const circle of circles()) {
  problems.push(`these import one another: ${circle.join(', ')}; move what they share to a file of its own`);
}
for (const problem of problems) console.error(problem);
if (problems.length === 0) console.log(`Imports of ${imports.size} files are as CONTRIBUTING.md has them.`);
process.exitCode = problems.length > 0 ? 1 : 0;
