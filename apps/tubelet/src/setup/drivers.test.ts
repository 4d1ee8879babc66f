import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { GpuReport, SoftwareDriver } from '@tubelet/kernels/node';
import { addDriver, type UnpackedDriver } from './drivers.js';
import type { Probed } from './probe.js';

let cache: string;
beforeEach(() => (cache = mkdtempSync(join(tmpdir(), 'tubelet-setup-'))));
afterEach(() => rmSync(cache, { recursive: true }));

type Unpack = (staging: string) => Promise<UnpackedDriver>;
type Verify = (staged: string, name: string) => Promise<Probed>;

const unpacker = (name: SoftwareDriver['name'], version: string) => async (staging: string) => {
  const folder = join(staging, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'libdriver.so.1'), version);
  return { name, version, icd: 'driver.json', driverFile: 'libdriver.so.1', folder };
};
const manifestOf = (folder: string) =>
  JSON.parse(readFileSync(join(folder, 'vulkan-driver.json'), 'utf8')) as { drivers: SoftwareDriver[] };
const manifest = () => manifestOf(cache);
const report = {} as GpuReport;
const accepts = () => Promise.resolve({ report, reasons: [] });
// The drivers here are empty files.
const add = (driver: Unpack, verify: Verify) => addDriver(cache, driver, verify, () => ['libdriver.so.1']);

it('records a driver once it was verified in its staging folder, the preferred one first', async () => {
  const seen: unknown[] = [];
  const verify: Verify = (staged, name) => {
    const { drivers } = manifestOf(staged);
    seen.push([
      name,
      existsSync(join(staged, drivers[0]!.icd)),
      existsSync(join(cache, 'vulkan-driver.json')),
    ]);
    return accepts();
  };
  await add(unpacker('swiftshader', '1'), verify);
  expect(seen).toEqual([['swiftshader', true, false]]);
  await add(unpacker('llvmpipe', '25.0.7'), accepts);
  expect(manifest().drivers.map(({ name }) => name)).toEqual(['llvmpipe', 'swiftshader']);
  const driver = manifest().drivers[0]!;
  expect(driver.libraries).toEqual(['vulkan/llvmpipe-25.0.7/libdriver.so.1']);
  const icd = JSON.parse(readFileSync(join(cache, driver.icd), 'utf8')) as { ICD: object };
  expect(icd.ICD).toMatchObject({ library_path: './libdriver.so.1' });
});

it('replaces an older version and removes its files', async () => {
  await add(unpacker('llvmpipe', '25.0.7'), accepts);
  await add(unpacker('llvmpipe', '26.1.0'), accepts);
  expect(manifest().drivers.map(({ version }) => version)).toEqual(['26.1.0']);
  expect(readdirSync(join(cache, 'vulkan'))).toEqual(['llvmpipe-26.1.0']);
});

it('leaves nothing behind of a driver that Dawn refuses', async () => {
  const result = await add(unpacker('llvmpipe', '22.3.6'), () => Promise.resolve({ reasons: ['refused'] }));
  expect(result).toEqual({ reasons: ['refused'] });
  expect(existsSync(join(cache, 'vulkan-driver.json'))).toBe(false);
  expect(readdirSync(join(cache, 'vulkan'))).toEqual([]);
});
