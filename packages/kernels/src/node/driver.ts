import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { cacheDirectory } from './cache.js';
import { DriverChoiceError, DriverLoadError } from './errors.js';
import { installedIcds } from './icd.js';
import type { InstalledIcds } from './icd.js';

/** Which Vulkan driver a process asks for: the environment variable `TUBELET_VULKAN`. */
export type VulkanChoice = 'auto' | 'system' | 'llvmpipe' | 'swiftshader';

const choices: readonly VulkanChoice[] = ['auto', 'system', 'llvmpipe', 'swiftshader'];

/** A software Vulkan driver that set-up unpacked; paths are absolute once read. */
export interface SoftwareDriver {
  name: 'llvmpipe' | 'swiftshader';
  version: string;
  /** The driver's description for the Vulkan loader. */
  icd: string;
  /** Shared libraries to load before Dawn starts, the Vulkan loader among them. */
  libraries: string[];
}

/** Name of the file in the cache folder that lists the unpacked drivers, best first. */
export const driverManifestName = 'vulkan-driver.json';

/**
 * Reads `TUBELET_VULKAN`; unset means `auto`.
 *
 * @throws DriverChoiceError for a value that is not one of the choices
 */
export function vulkanChoice(env: NodeJS.ProcessEnv = process.env): VulkanChoice {
  const value = env.TUBELET_VULKAN;
  if (value === undefined || value === '') return 'auto';
  const found = choices.find((choice) => choice === value);
  if (found === undefined) {
    throw new DriverChoiceError(`TUBELET_VULKAN is "${value}"; use one of ${choices.join(', ')}.`);
  }
  return found;
}

/** The Vulkan driver that the environment names; beside it the loader looks for no other. */
export const namedDriver = (env: NodeJS.ProcessEnv = process.env): string | undefined =>
  env.VK_DRIVER_FILES ?? env.VK_ICD_FILENAMES;

function isDriver(value: unknown): value is SoftwareDriver {
  if (typeof value !== 'object' || value === null) return false;
  const driver = value as Record<string, unknown>;
  return (
    (driver.name === 'llvmpipe' || driver.name === 'swiftshader') &&
    typeof driver.version === 'string' &&
    typeof driver.icd === 'string' &&
    Array.isArray(driver.libraries) &&
    driver.libraries.every((library) => typeof library === 'string')
  );
}

/**
 * The software drivers recorded in the cache folder, best first; none when nothing was recorded.
 *
 * @throws DriverLoadError when the manifest is there but is not one
 */
export function recordedDrivers(directory = cacheDirectory()): SoftwareDriver[] {
  const path = join(directory, driverManifestName);
  if (!existsSync(path)) return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new DriverLoadError(`${path} is not JSON. Delete it and run: npx tubelet setup`, {
      cause,
    });
  }
  const drivers: unknown = (parsed as { drivers?: unknown } | null)?.drivers;
  if (!Array.isArray(drivers) || !drivers.every(isDriver)) {
    throw new DriverLoadError(
      `${path} does not list drivers in the form this version writes. Delete it and run: npx tubelet setup`,
    );
  }
  const absolute = (file: string) => (isAbsolute(file) ? file : resolve(directory, file));
  return drivers.map((driver) => ({
    ...driver,
    icd: absolute(driver.icd),
    libraries: driver.libraries.map(absolute),
  }));
}

/** Loads one shared library into the process and throws when that fails. */
export type LibraryLoader = (path: string) => unknown;

/** Libraries stay loaded as long as their handles live; they are never to be unloaded under Dawn. */
const handlesKey = Symbol.for('tubelet.driverLibraries');
const store = globalThis as { [handlesKey]?: unknown[] };

async function koffiLoader(): Promise<LibraryLoader> {
  // Only a machine without a driver of its own needs this native package, which is optional.
  const { default: koffi } = await import('koffi').catch((cause: Error) => {
    throw new DriverLoadError(`the package koffi does not load (${cause.message}). Run: npm install koffi`, {
      cause,
    });
  });
  const handles = (store[handlesKey] ??= []);
  return (path) => handles.push(koffi.load(path));
}

/**
 * Loads libraries whose order is unknown: whatever fails for want of another is tried again after
 * the others.
 *
 * @throws DriverLoadError when a round loads nothing, with the first library's message
 */
export function loadLibraries(paths: readonly string[], load: LibraryLoader): void {
  let left = [...paths];
  while (left.length > 0) {
    const failed: string[] = [];
    let reason: unknown;
    for (const path of left) {
      try {
        load(path);
      } catch (error) {
        reason ??= error;
        failed.push(path);
      }
    }
    if (failed.length === left.length) {
      const message = reason instanceof Error ? reason.message : String(reason);
      throw new DriverLoadError(
        `The software Vulkan driver's library ${left[0]} does not load: ${message}. Run: npx tubelet setup --force`,
        { cause: reason },
      );
    }
    left = failed;
  }
}

/**
 * Makes a recorded driver the one that Dawn finds from now on in this process: loads its libraries
 * (Dawn asks for `libvulkan.so.1` by name and is given the loaded one) and names its description in
 * `VK_DRIVER_FILES`. Call before the GPU is opened, on the main thread: a worker's environment is a
 * copy that the Vulkan loader does not see.
 *
 * @throws DriverLoadError when a file is missing or a library does not load
 */
export async function useSoftwareDriver(
  driver: SoftwareDriver,
  load?: LibraryLoader,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const missing = [driver.icd, ...driver.libraries].filter((path) => !existsSync(path));
  if (missing.length > 0) {
    throw new DriverLoadError(
      `The recorded ${driver.name} driver lacks ${missing[0]}. Run: npx tubelet setup --force`,
    );
  }
  loadLibraries(driver.libraries, load ?? (await koffiLoader()));
  env.VK_DRIVER_FILES = driver.icd;
}

/** What preparing the system's own drivers needs to know; the process's own values unless given. */
export interface SystemDriverOptions {
  load?: LibraryLoader;
  env?: NodeJS.ProcessEnv;
  platform?: NodeJS.Platform;
  icds?: InstalledIcds;
}

/**
 * Lets Dawn find the system's own Vulkan drivers. Only Linux needs it: Metal and D3D12 come with
 * their systems. Drivers described in a folder that the Vulkan loader does not search are named to
 * it; where the loader itself is missing although there are drivers, an unpacked one does its work.
 *
 * @param recorded the unpacked software drivers, for the loader that comes with each
 * @throws DriverLoadError when there is no Vulkan loader
 */
export async function useSystemDrivers(
  recorded: readonly SoftwareDriver[],
  options: SystemDriverOptions = {},
): Promise<void> {
  const { env = process.env, platform = process.platform } = options;
  if (platform !== 'linux') return;
  const icds = options.icds ?? installedIcds(env);
  if (icds.elsewhere.length > 0 && !env.VK_DRIVER_FILES && !env.VK_ADD_DRIVER_FILES) {
    env.VK_ADD_DRIVER_FILES = icds.elsewhere.join(':');
  }
  // Without the optional koffi nothing is known beforehand: Dawn looks for a loader by itself.
  const load = options.load ?? (await koffiLoader().catch(() => undefined));
  if (!load) return;
  try {
    load('libvulkan.so.1');
  } catch (cause) {
    const drivers = icds.standard.length + icds.elsewhere.length + (namedDriver(env) ? 1 : 0);
    const unpacked = recorded
      .flatMap((driver) => driver.libraries)
      .find((path) => /[/\\]libvulkan\.so/.test(path) && existsSync(path));
    if (drivers === 0 || !unpacked) {
      throw new DriverLoadError('the Vulkan loader libvulkan.so.1 is not installed', { cause });
    }
    load(unpacked);
  }
}
