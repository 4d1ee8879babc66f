import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeStaging } from '@tubelet/kernels/node';
import {
  fromTheSystem,
  openApt,
  plannedPackages,
  unpackPackages,
  upstreamVersion,
} from '../../apps/tubelet/src/setup/index.js';

const multiarchNames: Partial<Record<string, string>> = {
  x64: 'x86_64-linux-gnu',
  arm64: 'aarch64-linux-gnu',
};

/**
 * Debian's folder of libraries for this processor, inside of `/usr/lib`.
 *
 * @throws Error where there are no packages for it
 */
export function multiarch(): string {
  const name = multiarchNames[process.arch];
  if (name === undefined) throw new Error(`there are no packages for ${process.arch}`);
  return name;
}

/**
 * Fetches a program and all that it needs into a folder, with the machine's own apt sources: neither root nor a change
 * to the system is needed. The file `version` is written last, and tells that the rest is there.
 *
 * @param place the folder, which is replaced
 * @param wanted the package of the program
 * @param without packages that the program does without
 * @throws Error when this system has no apt, or its archives no such package
 */
export async function unpackProgram(place: string, wanted: string, without?: RegExp): Promise<void> {
  // Before anything is fetched.
  multiarch();
  const staging = makeStaging(place);
  try {
    const archive = await openApt(staging);
    const { stdout, stderr } = await archive.apt(['install', '-s', wanted], { allowFailure: true });
    const packages = plannedPackages(stdout).filter(
      ({ name }) => !fromTheSystem.test(name) && !without?.test(name),
    );
    const version = packages.find((entry) => entry.name === wanted)?.version;
    if (version === undefined) {
      throw new Error(
        `apt offers no ${wanted}: ${archive.complaints || stderr.trim() || 'not in its lists'}`,
      );
    }
    const tree = await unpackPackages(archive, packages, staging);
    writeFileSync(join(tree, 'version'), upstreamVersion(version));
    rmSync(place, { recursive: true, force: true });
    renameSync(tree, place);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}
