import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fromTheSystem, openApt, plannedPackages, unpackPackages, upstreamVersion } from './setup.mjs';

/*
 * Open MPI and MPICH side by side, fetched with the machine's own apt sources into the cache folder and started from
 * there: tests need neither root nor an installation. apt holds what it fetches to the checksums of the release.
 *
 * No version is asked for: an archive offers one, that of its release, and keeps none of those before. What has been
 * fetched stays as it is, and its version stands in front of every result.
 */

/** What differs between the two. `env` and `args` are what a tree that was moved and a test on few cores need. */
const implementations = {
  openmpi: {
    title: 'Open MPI',
    package: 'openmpi-bin',
    launcher: 'orterun',
    env: (usr, libraries) => ({
      OPAL_PREFIX: usr,
      OPAL_LIBDIR: join(libraries, 'openmpi', 'lib'),
      PMIX_INSTALL_PREFIX: join(libraries, 'pmix2'),
      PMIX_MCA_pcompress_base_silence_warning: '1',
      // Only this host is spoken with, whatever networks it has.
      OMPI_MCA_btl: 'self,vader,tcp',
      OMPI_MCA_btl_tcp_if_include: 'lo',
      OMPI_MCA_oob_tcp_if_include: 'lo',
      OMPI_MCA_pml: 'ob1',
    }),
    args: ['--oversubscribe', ...(process.getuid?.() === 0 ? ['--allow-run-as-root'] : [])],
  },
  mpich: {
    title: 'MPICH',
    package: 'mpich',
    launcher: 'mpiexec.hydra',
    env: () => ({ MPICH_INTERFACE_HOSTNAME: '127.0.0.1' }),
    args: ['-iface', 'lo'],
  },
};

/** Names of the implementations that can be fetched. */
export const mpiNames = Object.keys(implementations);

/** Debian's folder of libraries for this processor, inside of `/usr/lib`. */
const multiarch = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch];

/**
 * @typedef {{ title: string, version: string, launcher: string, args: string[], env: NodeJS.ProcessEnv }} Mpi
 *   `launcher` is the path of its mpirun, to be started with `args` first and `env`
 */

/**
 * An MPI out of the cache folder, fetched there unless it is there.
 *
 * @param {string} cache the cache folder
 * @param {string} name one of `mpiNames`
 * @returns {Promise<Mpi>}
 * @throws Error when this system has no apt, or its archives no such package
 */
export async function fetchMpi(cache, name) {
  const place = join(cache, 'mpi', name);
  if (!existsSync(join(place, 'version'))) await unpack(place, implementations[name].package);
  const { title, launcher, env, args } = implementations[name];
  const usr = join(place, 'usr');
  const libraries = join(usr, 'lib', multiarch);
  const path = [libraries, join(place, 'lib', multiarch), process.env.LD_LIBRARY_PATH];
  return {
    title,
    version: readFileSync(join(place, 'version'), 'utf8'),
    launcher: join(usr, 'bin', launcher),
    args,
    env: {
      ...process.env,
      ...env(usr, libraries),
      LD_LIBRARY_PATH: path.filter(Boolean).join(delimiter),
    },
  };
}

async function unpack(place, wanted) {
  if (!multiarch) throw new Error(`there are no packages for ${process.arch} to test with`);
  const staging = `${place}.staging-${process.pid}`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  try {
    const archive = await openApt(staging);
    const { stdout, stderr } = await archive.apt(['install', '-s', wanted], { allowFailure: true });
    const packages = plannedPackages(stdout).filter(({ name }) => !fromTheSystem.test(name));
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
