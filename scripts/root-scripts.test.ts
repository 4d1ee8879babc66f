import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './lib/root.mjs';

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
const { tasks } = JSON.parse(read('turbo.json')) as { tasks: Record<string, unknown> };

it('has every script that the documents and CI tell people to run', () => {
  const texts = ['README.md', 'CONTRIBUTING.md', '.ci/run'].filter((path) => existsSync(join(root, path)));
  const named = texts.flatMap((path) =>
    [...read(path).matchAll(/npm (?:run ([\w:-]+)|(test)\b)/g)].flatMap(
      (match) => match[1] ?? match[2] ?? [],
    ),
  );
  expect(named).toContain('test');
  expect([...new Set(named)].filter((name) => !(name in scripts))).toEqual([]);
});

it('has the scripts everything starts with', () => {
  const names = [
    'setup',
    'doctor',
    'demo',
    'test',
    'test:full',
    'test:subgroups',
    'test:matrix-units',
    'test:precision',
    'build',
    'typecheck',
    'lint',
    'format',
  ];
  expect(names.filter((name) => !(name in scripts))).toEqual([]);
});

it('runs only files that exist and only tasks that turbo knows', () => {
  const commands = Object.values(scripts).flatMap((line) => line.split('&&').map((part) => part.trim()));
  const files = commands.flatMap(
    (command) =>
      /^node (?:--import \.\/scripts\/typescript\.mjs )?((?:scripts|benchmarks\/src)\/\S+)/.exec(
        command,
      )?.[1] ?? [],
  );
  expect(files.length).toBeGreaterThan(0);
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  const wanted = commands.flatMap(
    (command) => /^turbo run ([^-]+)/.exec(command)?.[1]?.trim().split(' ') ?? [],
  );
  expect(wanted).toContain('build');
  expect(wanted.filter((task) => !(task in tasks))).toEqual([]);
});

it('sets up a bare clone before whatever must work on one', () => {
  for (const name of ['test', 'test:full', 'test:subgroups', 'test:matrix-units', 'test:precision', 'demo']) {
    expect(scripts[name]).toMatch(/^node scripts\/setup\.mjs && /);
  }
});

it('locks packages without naming a registry', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { resolved?: string }>;
  };
  const resolved = Object.values(packages).map((entry) => entry.resolved ?? '');
  expect(resolved.filter((address) => address.includes('://'))).toEqual([]);
});

it('keeps out of an image what git leaves out, which set-up and building make anew', () => {
  const lines = (path: string) => read(path).trim().split('\n');
  // A pattern without a slash in it holds in every folder: Docker has it so behind `**/`.
  const forDocker = (pattern: string) => {
    const path = pattern.replace(/\/$/, '');
    return path.includes('/') ? path.replace(/^\//, '') : `**/${path}`;
  };
  expect(lines('.dockerignore')).toEqual(['.git', ...lines('.gitignore').map(forDocker)]);
});
