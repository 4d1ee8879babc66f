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
import { addDriver } from './drivers.mjs';

let cache;
beforeEach(() => (cache = mkdtempSync(join(tmpdir(), 'tubelet-setup-'))));
afterEach(() => rmSync(cache, { recursive: true }));

const unpacker = (name, version) => async (staging) => {
  const folder = join(staging, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'libdriver.so.1'), version);
  return { name, version, icd: 'driver.json', driverFile: 'libdriver.so.1', folder };
};
const manifest = () => JSON.parse(readFileSync(join(cache, 'vulkan-driver.json'), 'utf8'));
const accepts = async () => ({ report: {}, reasons: [] });
// The drivers here are empty files.
const add = (driver, verify) => addDriver(cache, driver, verify, () => ['libdriver.so.1']);

it('records a driver once it was verified in its staging folder, the preferred one first', async () => {
  const seen = [];
  const verify = async (staged, name) => {
    const { drivers } = JSON.parse(readFileSync(join(staged, 'vulkan-driver.json'), 'utf8'));
    seen.push([
      name,
      existsSync(join(staged, drivers[0].icd)),
      existsSync(join(cache, 'vulkan-driver.json')),
    ]);
    return { report: {}, reasons: [] };
  };
  await add(unpacker('swiftshader', '1'), verify);
  expect(seen).toEqual([['swiftshader', true, false]]);
  await add(unpacker('llvmpipe', '25.0.7'), accepts);
  expect(manifest().drivers.map(({ name }) => name)).toEqual(['llvmpipe', 'swiftshader']);
  const [driver] = manifest().drivers;
  expect(driver.libraries).toEqual(['vulkan/llvmpipe-25.0.7/libdriver.so.1']);
  const icd = JSON.parse(readFileSync(join(cache, driver.icd), 'utf8'));
  expect(icd.ICD).toMatchObject({ library_path: './libdriver.so.1' });
});

it('replaces an older version and removes its files', async () => {
  await add(unpacker('llvmpipe', '25.0.7'), accepts);
  await add(unpacker('llvmpipe', '26.1.0'), accepts);
  expect(manifest().drivers.map(({ version }) => version)).toEqual(['26.1.0']);
  expect(readdirSync(join(cache, 'vulkan'))).toEqual(['llvmpipe-26.1.0']);
});

it('leaves nothing behind of a driver that Dawn refuses', async () => {
  const result = await add(unpacker('llvmpipe', '22.3.6'), async () => ({
    reasons: ['refused'],
  }));
  expect(result).toEqual({ reasons: ['refused'] });
  expect(existsSync(join(cache, 'vulkan-driver.json'))).toBe(false);
  expect(readdirSync(join(cache, 'vulkan'))).toEqual([]);
});
