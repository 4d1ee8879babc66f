import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { driverManifestName, makeStaging, type SoftwareDriver } from '@tubelet/kernels/node';
import { dependencyOrder } from './elf.js';
import type { Probed } from './probe.js';

/** A driver in a staging folder; `icd` and `driverFile` are names inside `folder`. */
export interface UnpackedDriver {
  readonly name: SoftwareDriver['name'];
  readonly version: string;
  readonly icd: string;
  readonly driverFile: string;
  readonly folder: string;
}

const preference: readonly string[] = ['llvmpipe', 'swiftshader'];

function readDrivers(cache: string): SoftwareDriver[] {
  const path = join(cache, driverManifestName);
  if (!existsSync(path)) return [];
  try {
    const { drivers } = JSON.parse(readFileSync(path, 'utf8')) as { drivers?: unknown };
    return Array.isArray(drivers) ? (drivers as SoftwareDriver[]) : [];
  } catch {
    // Unreadable: about to be written anew, with the driver that was just verified.
    return [];
  }
}

function writeDrivers(cache: string, drivers: readonly SoftwareDriver[]): void {
  mkdirSync(cache, { recursive: true });
  const path = join(cache, driverManifestName);
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify({ drivers }, null, 2)}\n`);
  renameSync(temporary, path);
}

/** The names of a folder's shared libraries, each after those that it needs. */
function librariesInOrder(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => /\.so(\.|$)/.test(name));
  return dependencyOrder(names.sort().map((name) => join(folder, name))).map((path) => basename(path));
}

/** A driver's manifest entry, with paths relative to the cache folder. */
function entry(driver: UnpackedDriver, folder: string, order: readonly string[]): SoftwareDriver {
  const inCache = (name: string) => `${folder}/${name}`;
  return {
    name: driver.name,
    version: driver.version,
    icd: inCache(driver.icd),
    libraries: order.map(inCache),
  };
}

/**
 * Describes a driver to the Vulkan loader, in a file beside it.
 *
 * @returns the file's path
 */
export function writeDescription({
  icd,
  driverFile,
  folder,
}: Pick<UnpackedDriver, 'icd' | 'driverFile' | 'folder'>): string {
  const path = join(folder, icd);
  // With a slash the path counts from this file, so that the folder can move.
  const ICD = { library_path: `./${driverFile}`, api_version: '1.3.0' };
  writeFileSync(path, JSON.stringify({ file_format_version: '1.0.1', ICD }));
  return path;
}

/**
 * Makes a staging folder inside the cache folder (so that moving out of it is a rename), lets
 * `unpack` put a driver there, has `verify` try it, and only then records it.
 *
 * @param cache the cache folder
 * @param loadOrder the names of a folder's libraries, dependencies first
 */
export async function addDriver(
  cache: string,
  unpack: (staging: string) => Promise<UnpackedDriver>,
  verify: (stagedCache: string, name: string) => Promise<Probed>,
  loadOrder: (folder: string) => string[] = librariesInOrder,
): Promise<Probed> {
  const staging = makeStaging(join(cache, 'vulkan', 'staging'));
  try {
    const driver = await unpack(staging);
    writeDescription(driver);
    const name = driver.folder.slice(staging.length + 1);
    const order = loadOrder(driver.folder);
    writeDrivers(staging, [entry(driver, name, order)]);
    const { report, reasons } = await verify(staging, driver.name);
    if (!report) return { reasons };
    const relative = `vulkan/${driver.name}-${driver.version.replaceAll(/[^\w.]/g, '-')}`;
    const absolute = join(cache, relative);
    rmSync(absolute, { recursive: true, force: true });
    renameSync(driver.folder, absolute);
    const recorded = readDrivers(cache);
    const others = recorded.filter((other) => other.name !== driver.name);
    const drivers = [...others, entry(driver, relative, order)];
    drivers.sort((a, b) => preference.indexOf(a.name) - preference.indexOf(b.name));
    writeDrivers(cache, drivers);
    for (const { name, icd } of recorded) {
      const old = dirname(join(cache, icd));
      if (name === driver.name && old !== absolute) rmSync(old, { recursive: true, force: true });
    }
    return { report, reasons: [] };
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}
