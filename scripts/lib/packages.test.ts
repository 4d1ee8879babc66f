import { expect, it } from 'vitest';
import { installationDifference } from './packages.mjs';

const lock = {
  packages: {
    '': {},
    'packages/own': { version: '0.1.0' },
    'node_modules/own': { link: true },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/a/node_modules/b': { version: '2.0.0' },
    'node_modules/other-platform': { version: '3.0.0', optional: true },
  },
};
/** An installation, with changes; undefined takes a package out. */
const installed = (change: Record<string, { version: string } | undefined> = {}) => {
  const all = { ...lock.packages, '': undefined, 'node_modules/other-platform': undefined, ...change };
  const present = Object.entries(all).flatMap(([path, entry]) => (entry ? [[path, entry] as const] : []));
  return { packages: Object.fromEntries(present) };
};

it('is content with what the lock says, optional packages or not', () => {
  expect(installationDifference(lock, installed())).toBeUndefined();
});

it('names what differs', () => {
  expect(installationDifference(lock, undefined)).toContain('no packages');
  expect(installationDifference(lock, installed({ 'node_modules/a': undefined }))).toBe(
    'node_modules/a is not installed',
  );
  expect(installationDifference(lock, installed({ 'node_modules/own': undefined }))).toBe(
    'node_modules/own is not installed',
  );
  const older = { 'node_modules/a/node_modules/b': { version: '1.9.0' } };
  expect(installationDifference(lock, installed(older))).toContain('is version 1.9.0, not 2.0.0');
});
