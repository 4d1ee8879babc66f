import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromTheSystem, openApt, plannedPackages, unpackPackages, upstreamVersion } from './setup.mjs';
import { importSource } from './source.mjs';

const { makeStaging } = await importSource('packages/kernels/src/node/index.ts');

/** Debian's folder of libraries for this processor, inside of `/usr/lib`. */
export const multiarch = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch];

/**
 * Fetches a program and all that it needs into a folder, with the machine's own apt sources: neither root nor a change
 * to the system is needed. The file `version` is written last, and tells that the rest is there.
 *
 * @param {string} place the folder, which is replaced
 * @param {string} wanted the package of the program
 * @param {RegExp} [without] packages that the program does without
 * @throws Error when this system has no apt, or its archives no such package
 */
export async function unpackProgram(place, wanted, without) {
  if (!multiarch) throw new Error(`there are no packages for ${process.arch}`);
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
