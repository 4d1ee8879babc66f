import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { multiarch, unpackProgram } from './apt-program.js';

/*
 * Open MPI and MPICH side by side, fetched with the machine's own apt sources into the cache folder and started from
 * there: tests need neither root nor an installation. apt holds what it fetches to the checksums of the release.
 *
 * No version is asked for: an archive offers one, that of its release, and keeps none of those before. What has been
 * fetched stays as it is, and its version stands in front of every result.
 */

/** What differs between the two. `env` and `args` are what a tree that was moved and a test on few cores need. */
interface Implementation {
  readonly title: string;
  readonly package: string;
  readonly launcher: string;
  readonly env: (usr: string, libraries: string) => NodeJS.ProcessEnv;
  readonly args: readonly string[];
}

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
} satisfies Record<string, Implementation>;

export type MpiName = keyof typeof implementations;

/** Names of the implementations that can be fetched. */
export const mpiNames = Object.keys(implementations) as MpiName[];

export interface Mpi {
  readonly title: string;
  readonly version: string;
  /** The path of its mpirun, to be started with `args` first and `env`. */
  readonly launcher: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/**
 * An MPI out of the cache folder, fetched there unless it is there.
 *
 * @param cache the cache folder
 * @throws Error when this system has no apt, or its archives no such package
 */
export async function fetchMpi(cache: string, name: MpiName): Promise<Mpi> {
  const place = join(cache, 'mpi', name);
  if (!existsSync(join(place, 'version'))) await unpackProgram(place, implementations[name].package);
  const { title, launcher, env, args }: Implementation = implementations[name];
  const usr = join(place, 'usr');
  const libraries = join(usr, 'lib', multiarch());
  const path = [libraries, join(place, 'lib', multiarch()), process.env.LD_LIBRARY_PATH];
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
