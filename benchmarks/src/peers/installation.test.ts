import { mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installPeers, InstallationError, peerLoader, type Run } from './installation.js';

describe('the installation of the peers', () => {
  let folder: string;
  let source: string;
  let target: string;
  let calls: string[];
  const npm: Run = async (command, args, cwd) => {
    calls.push([command, ...args].join(' '));
    writeFileSync(join(cwd, 'installed'), '');
  };
  const say = () => undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tubelet-peers-'));
    source = folder;
    target = join(folder, 'cache', 'peers');
    calls = [];
    writeFileSync(join(source, 'package.json'), '{}');
    writeFileSync(join(source, 'package-lock.json'), '{ "packages": {} }');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('happens once, and again when other versions are locked', async () => {
    await installPeers(source, target, say, npm);
    await installPeers(source, target, say, npm);
    expect(calls).toEqual(['npm ci --ignore-scripts --no-audit --no-fund']);
    expect(existsSync(join(target, 'installed'))).toBe(true);
    writeFileSync(join(source, 'package-lock.json'), '{ "packages": { "": {} } }');
    await installPeers(source, target, say, npm);
    expect(calls).toHaveLength(2);
    expect(readFileSync(join(target, 'package-lock.json'), 'utf8')).toContain('""');
  });

  it('leaves nothing behind when it fails', async () => {
    const offline: Run = () => Promise.reject(new Error('the registry does not answer'));
    const attempt = installPeers(source, target, say, offline);
    await expect(attempt).rejects.toThrow(InstallationError);
    await expect(attempt).rejects.toThrow('the registry does not answer');
    expect(existsSync(join(folder, 'cache'))).toBe(true);
    expect(existsSync(target)).toBe(false);
  });

  it('gives a loader that resolves from its folder', async () => {
    await installPeers(source, target, say, npm);
    const assert = await peerLoader(target)<{ strictEqual: unknown }>('node:assert');
    expect(assert.strictEqual).toBeTypeOf('function');
    await expect(peerLoader(target)('no-such-package')).rejects.toThrow('no-such-package');
  });
});
