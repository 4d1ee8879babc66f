import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import {
  notNeeded,
  openApt,
  planDriver,
  unpackPackages,
  upstreamVersion,
  writeDescription,
} from '../../apps/tubelet/src/setup/index.js';
import { shaderCache } from './shader-cache.js';

/*
 * From Mesa 26 on llvmpipe has matrix units (8×8×8, f16 operands, f32 sums). Where the release has no such Mesa it is
 * taken from a newer one, together with the C library that it needs: programs are then started through that library's
 * own dynamic linker, and nothing of it is mixed with the system's.
 */

const oldestMesa = 26;
const newerRelease = 'trixie';
const driverFile = 'libvulkan_lvp.so';
const icd = 'lvp_icd.json';
const linker = /^ld-linux.*\.so\.\d+$/;

export interface MatrixUnitsDriver {
  /** With the libraries. */
  readonly folder: string;
  readonly version: string;
  /** The path of its description. */
  readonly icd: string;
  /** The path of the dynamic linker. */
  readonly linker: string;
}

/** The newest driver that was unpacked below `place`. */
function unpacked(place: string): MatrixUnitsDriver | undefined {
  const names = existsSync(place) ? readdirSync(place) : [];
  const [name] = names
    .filter((entry) => /^mesa-\d/.test(entry))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  if (!name) return undefined;
  const folder = join(place, name);
  const found = readdirSync(folder).find((file) => linker.test(file));
  if (!found || !existsSync(join(folder, icd))) return undefined;
  return { folder, version: name.slice('mesa-'.length), icd: join(folder, icd), linker: join(folder, found) };
}

/** What apt would install: of this machine's release, else of the newer one. */
async function plan(work: string) {
  const reasons: string[] = [];
  for (const release of [undefined, newerRelease]) {
    const folder = join(work, release ?? 'own');
    try {
      const archive = await openApt(folder, release);
      return { archive, folder, ...(await planDriver(archive, { oldest: oldestMesa })) };
    } catch (error) {
      reasons.push((error as Error).message);
    }
  }
  throw new Error(`no llvmpipe with matrix units can be fetched: ${reasons.join('; ')}`);
}

/** The path of a file somewhere in a tree. */
function findFile(tree: string, name: string): string {
  const found = readdirSync(tree, { withFileTypes: true, recursive: true }).find(
    (file) => file.name === name,
  );
  if (!found) throw new Error(`the fetched packages hold no ${name}`);
  return join(found.parentPath ?? found.path, name);
}

/**
 * llvmpipe with matrix units and all it needs, fetched into the cache folder unless it is there.
 *
 * @param cache the cache folder
 * @throws Error when this system has no apt, or its archives no such driver
 */
export async function matrixUnitsDriver(cache: string): Promise<MatrixUnitsDriver> {
  const place = join(cache, 'matrix-units');
  const present = unpacked(place);
  if (present) return present;
  const staging = join(place, `.staging-${process.pid}`);
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  try {
    const { archive, folder, packages, version } = await plan(staging);
    const libraries = dirname(findFile(await unpackPackages(archive, packages, folder), driverFile));
    const ready = join(staging, 'ready');
    // Links stay: programs ask for libraries by the names of links.
    cpSync(libraries, ready, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !notNeeded.test(path.slice(libraries.length + 1)) && !/\/gconv(\/|$)/.test(path),
    });
    writeDescription({ icd, driverFile, folder: ready });
    renameSync(ready, join(place, `mesa-${upstreamVersion(version)}`));
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  const made = unpacked(place);
  if (!made) throw new Error(`the packages of llvmpipe unpacked into ${place} hold no dynamic linker`);
  return made;
}

/**
 * The environment of a process that is to use the driver.
 *
 * @param cache the cache folder
 */
export function matrixUnitsEnvironment(driver: MatrixUnitsDriver, cache: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    TUBELET_VULKAN: 'system',
    VK_DRIVER_FILES: driver.icd,
    // Subgroups of 8: with 4 Mesa 26.1 has no matrix units, with 16 it crashes on a single product.
    LP_NATIVE_VECTOR_WIDTH: '256',
    MESA_SHADER_CACHE_DIR: shaderCache(cache, 'matrix-units'),
  };
}

/**
 * A program that starts this Node with the driver's libraries in place of the system's.
 *
 * @returns its path
 */
export function nodeWithDriver({ folder, linker: start }: MatrixUnitsDriver): string {
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const path = join(folder, 'node');
  const command = [start, '--library-path', folder, process.execPath].map(quoted).join(' ');
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, `#!/bin/sh\nexec ${command} "$@"\n`);
  chmodSync(temporary, 0o755);
  renameSync(temporary, path);
  return path;
}
