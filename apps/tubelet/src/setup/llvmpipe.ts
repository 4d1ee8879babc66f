import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  majorVersion,
  openApt,
  plannedPackages,
  unpackPackages,
  type Archive,
  type DebianPackage,
} from './apt.js';
import type { UnpackedDriver } from './drivers.js';

/*
 * llvmpipe is Mesa's Vulkan driver for the CPU. Dawn accepts it from Mesa 25 on. On Debian and its
 * relatives it is fetched with the machine's own apt sources, into private folders: neither root nor
 * a change to the system is needed. Where the release itself has an older Mesa, its backports suite
 * is asked too.
 */

const oldestAcceptedMesa = 25;
/** Always on a machine that runs Node, and bound to the system's dynamic linker: not to be mixed. */
export const fromTheSystem =
  /^(libc6|libc-bin|libgcc-s1|gcc-\d+-base|libstdc\+\+6|debconf|dpkg|tar|perl-base|adduser|passwd|libpam.*|libaudit.*|libselinux1|libsemanage.*|libsepol2)$/;

const packageNames = ['mesa-vulkan-drivers', 'libvulkan1'];

/**
 * What apt would install for llvmpipe: the release's own Mesa where it is new enough, else that of the backports.
 *
 * @param options `oldest`: the first version of Mesa that will do
 * @returns with `target`, the words that make apt choose it
 * @throws Error when the archive has none
 */
export async function planDriver(
  { apt, codename, complaints }: Archive,
  options: { readonly system?: boolean; readonly oldest?: number } = {},
): Promise<{ packages: DebianPackage[]; version: string; target: string[] }> {
  const { system = false, oldest = oldestAcceptedMesa } = options;
  const seen: string[] = [];
  for (const target of [[], ['-t', `${codename}-backports`]]) {
    const args = ['install', '-s', ...target, ...packageNames];
    const { code, stdout, stderr } = await apt(args, { allowFailure: true, system });
    const packages = plannedPackages(stdout);
    const mesa = packages.find(({ name }) => name === 'mesa-vulkan-drivers');
    if (mesa && majorVersion(mesa.version) >= oldest) {
      return { packages, version: mesa.version, target };
    }
    seen.push(mesa ? `Mesa ${mesa.version}` : stderr.trim().split('\n').at(-1) || `exit code ${code}`);
  }
  // Unreachable archives are the cause of whatever the plan lacks.
  const unreachable = complaints.split('\n').find((line) => /Failed to fetch|Could not/.test(line));
  throw new Error(
    unreachable
      ? `apt could not fetch its package lists: ${unreachable.trim()}`
      : `the apt sources for ${codename} offer no Mesa of version ${oldest} or newer: ${seen.join('; ')}`,
  );
}

/** Every shared library of a folder tree, by path. */
function sharedLibraries(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((file) => file.isFile() && /\.so(\.|$)/.test(file.name))
    .map((file) => join(file.parentPath ?? file.path, file.name));
}

/** A package version without its epoch and Debian's own part: `1:25.0.7-2` is `25.0.7`. */
export function upstreamVersion(version: string): string {
  return version.replace(/^\d+:/, '').replace(/-.*/, '');
}

/** Drivers for hardware, layers, and libraries that nothing here links to. */
export const notNeeded = /^(libvulkan_(?!lvp\.)|libVkLayer_|libicu(io|test|tu)\.|libexpatw\.|libtic\.)/;

/**
 * Fetches llvmpipe and all it needs and unpacks it below `staging`.
 *
 * @param staging an empty folder
 * @throws Error when this system has no apt, or its sources no driver that Dawn accepts
 */
export async function unpackLlvmpipe(staging: string): Promise<UnpackedDriver> {
  const work = join(staging, 'apt');
  const archive = await openApt(work);
  const plan = await planDriver(archive);
  const packages = plan.packages.filter(({ name }) => !fromTheSystem.test(name.replace(/:\w+$/, '')));
  const tree = await unpackPackages(archive, packages, work);
  const folder = join(staging, 'llvmpipe');
  mkdirSync(folder);
  for (const path of sharedLibraries(tree)) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (!notNeeded.test(name)) copyFileSync(path, join(folder, name));
  }
  rmSync(work, { recursive: true });
  return {
    name: 'llvmpipe',
    version: upstreamVersion(plan.version),
    icd: 'lvp_icd.json',
    driverFile: 'libvulkan_lvp.so',
    folder,
  };
}

/**
 * Installs llvmpipe into the system: for root, where the unpacked one does not work.
 *
 * @param staging an empty folder
 * @throws Error when not root, or when apt fails
 */
export async function installLlvmpipe(staging: string): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('installing it through apt needs root');
  const archive = await openApt(join(staging, 'apt'));
  const { target } = await planDriver(archive, { system: true });
  await archive.apt(['install', '-y', ...target, ...packageNames], { system: true, timeoutMs: 600_000 });
}
