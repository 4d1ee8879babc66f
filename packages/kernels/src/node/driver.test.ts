import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheDirectory } from './cache.js';
import {
  loadLibraries,
  recordedDrivers,
  useSoftwareDriver,
  useSystemDrivers,
  vulkanChoice,
} from './driver.js';
import { DriverChoiceError, DriverLoadError } from './errors.js';

describe('cacheDirectory', () => {
  it('prefers TUBELET_CACHE_DIR, then XDG_CACHE_HOME, then the home folder', () => {
    const env = { TUBELET_CACHE_DIR: '/fast/cache', XDG_CACHE_HOME: '/xdg' };
    expect(cacheDirectory(env, '/home/u')).toBe('/fast/cache');
    expect(cacheDirectory({ XDG_CACHE_HOME: '/xdg' }, '/home/u')).toBe('/xdg/tubelet');
    expect(cacheDirectory({}, '/home/u')).toBe('/home/u/.cache/tubelet');
  });
});

describe('vulkanChoice', () => {
  it('is automatic unless TUBELET_VULKAN says otherwise', () => {
    expect(vulkanChoice({})).toBe('auto');
    expect(vulkanChoice({ TUBELET_VULKAN: 'swiftshader' })).toBe('swiftshader');
    const unknown = () => vulkanChoice({ TUBELET_VULKAN: 'nvidia' });
    expect(unknown).toThrow(DriverChoiceError);
    expect(unknown).toThrow('TUBELET_VULKAN is "nvidia"');
  });
});

describe('loadLibraries', () => {
  it('tries again what needs a library that comes later', () => {
    const needs: Record<string, string[]> = { a: ['b', 'c'], b: ['c'], c: [] };
    const loaded: string[] = [];
    loadLibraries(['a', 'b', 'c'], (path) => {
      if (!needs[path]?.every((need) => loaded.includes(need))) throw new Error(`${path}: missing`);
      loaded.push(path);
    });
    expect(loaded).toEqual(['c', 'b', 'a']);
  });

  it('names a library that never loads, with the reason', () => {
    const load = (path: string) => {
      if (path === 'bad') throw new Error('wrong ELF class');
    };
    expect(() => loadLibraries(['good', 'bad'], load)).toThrow(/bad does not load: wrong ELF class/);
  });
});

describe('with a cache folder', () => {
  let cache: string;
  beforeEach(() => (cache = mkdtempSync(join(tmpdir(), 'tubelet-driver-'))));
  afterEach(() => rmSync(cache, { recursive: true }));
  const write = (value: unknown) =>
    writeFileSync(
      join(cache, 'vulkan-driver.json'),
      typeof value === 'string' ? value : JSON.stringify(value),
    );
  const driver = { name: 'llvmpipe', version: '25.0.7', icd: 'd/lvp.json', libraries: ['d/a.so'] };

  it('lists no driver where none was recorded, and absolute paths where one was', () => {
    expect(recordedDrivers(cache)).toEqual([]);
    write({ drivers: [driver] });
    expect(recordedDrivers(cache)).toEqual([
      { ...driver, icd: join(cache, 'd/lvp.json'), libraries: [join(cache, 'd/a.so')] },
    ]);
  });

  it.each(['{', 'null', { drivers: [{ name: 'other' }] }, { drivers: [{ ...driver, libraries: [1] }] }])(
    'refuses the manifest %j',
    (manifest) => {
      write(manifest);
      expect(() => recordedDrivers(cache)).toThrow(DriverLoadError);
      expect(() => recordedDrivers(cache)).toThrow(cache);
    },
  );

  it('loads the libraries and names the description', async () => {
    const icd = join(cache, 'lvp.json');
    const library = join(cache, 'a.so');
    writeFileSync(icd, '{}');
    writeFileSync(library, '');
    const env: NodeJS.ProcessEnv = {};
    const loaded: string[] = [];
    const ready = { ...driver, name: 'llvmpipe' as const, icd, libraries: [library] };
    await useSoftwareDriver(ready, (path) => loaded.push(path), env);
    expect(loaded).toEqual([library]);
    expect(env.VK_DRIVER_FILES).toBe(icd);
    const broken = { ...ready, libraries: [join(cache, 'gone.so')] };
    await expect(useSoftwareDriver(broken, () => undefined, env)).rejects.toThrow('gone.so');
  });

  it("lends the unpacked loader to the system's drivers", async () => {
    const loader = join(cache, 'libvulkan.so.1.3.239');
    writeFileSync(loader, '');
    const recorded = [{ ...driver, name: 'llvmpipe' as const, libraries: [loader] }];
    const loaded: string[] = [];
    const load = (path: string) => {
      if (path === 'libvulkan.so.1') throw new Error('not found');
      loaded.push(path);
    };
    const env: NodeJS.ProcessEnv = {};
    const icds = { standard: [], elsewhere: ['/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json'] };
    await useSystemDrivers(recorded, { load, env, platform: 'linux', icds });
    expect(loaded).toEqual([loader]);
    expect(env.VK_ADD_DRIVER_FILES).toBe(icds.elsewhere[0]);

    const none = { standard: [], elsewhere: [] };
    await expect(
      useSystemDrivers(recorded, { load, env: {}, platform: 'linux', icds: none }),
    ).rejects.toThrow('libvulkan.so.1 is not installed');
    await expect(useSystemDrivers([], { load, env: {}, platform: 'linux', icds })).rejects.toThrow(
      DriverLoadError,
    );
    await useSystemDrivers([], { load, env: {}, platform: 'darwin', icds: none });
  });
});
