import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { MpiError } from './errors.js';
import type { Family, Launch } from './launch.js';

/** A C function; `async` runs it on a thread of its own. */
export interface NativeFunction {
  (...args: unknown[]): number;
  async(...args: unknown[]): void;
}

/** An opened library: its functions by name, and handles as its functions take them. */
export interface MpiLibrary {
  /** First line of its version, e.g. `Open MPI v4.1.4`. */
  readonly version: string;
  /** @param parameters `comm`, `type` and `op` stand for handles, everything else for a type of koffi's. */
  bind(name: string, parameters: readonly string[]): NativeFunction;
  readonly world: unknown;
  readonly types: { readonly float32: unknown; readonly float64: unknown; readonly byte: unknown };
  readonly ops: { readonly sum: unknown; readonly max: unknown };
  /** The pointer that says: the result replaces what is in the other buffer. */
  readonly inPlace: bigint;
}

/** Names of the shared libraries, likeliest first: those with a number are there without development packages. */
const namesOf: Readonly<Record<Family, readonly string[]>> = {
  'Open MPI': ['libmpi.so.40', 'libmpi.so.80', 'libmpi.so', 'libmpi.dylib'],
  MPICH: ['libmpich.so.12', 'libmpi.so.12', 'libmpi.so', 'libmpi.dylib'],
};

/** MPICH needs more stack than koffi gives the threads of its calls. */
const THREAD_STACK_BYTES = 8 << 20;

/**
 * Open MPI and UCX watch what memory a process gives back by rewriting the functions that do it. In a process that has
 * long been running with several threads that is not safe: Node crashed in one of thirty jobs of four ranks, without it
 * in none of 229. It serves to remember which memory is registered with a network card.
 */
const withoutMemoryHooks = { UCX_MEM_EVENTS: 'no', OMPI_MCA_memory: '^patcher' };

/** The longest version text that the standard allows. */
const VERSION_BYTES = 8192;

/**
 * Paths and names under which a library may be found: first what `TUBELET_MPI_LIBRARY` says, then what the system's
 * linker finds, then beside the mpirun on PATH, since not every installation is known to the linker.
 */
export function libraryCandidates({ family }: Pick<Launch, 'family'>, env: NodeJS.ProcessEnv): string[] {
  const named = env.TUBELET_MPI_LIBRARY;
  if (named) return [named];
  const names = family ? namesOf[family] : [...namesOf['Open MPI'], ...namesOf.MPICH];
  const beside = (env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => existsSync(join(folder, 'mpirun')) || existsSync(join(folder, 'mpiexec')))
    .flatMap((folder) =>
      ['lib', 'lib64'].flatMap((lib) => names.map((name) => join(folder, '..', lib, name))),
    );
  return [...names, ...beside.filter((path) => existsSync(path))];
}

const remedies = [
  'Debian, Ubuntu: apt-get install openmpi-bin (or mpich)',
  'Fedora, RHEL:   dnf install openmpi (or mpich), then `module load mpi`',
  'openSUSE:       zypper install openmpi4 (or mpich)',
  'Arch:           pacman -S openmpi',
  'macOS:          brew install open-mpi',
  'conda:          conda install -c conda-forge openmpi (or mpich)',
  'Clusters:       the module that the mpirun in use comes from',
];

/**
 * Opens the MPI library that belongs to the launcher.
 *
 * @throws MpiError when there is none, with what to install
 */
export async function openLibrary(
  launch: Pick<Launch, 'family'>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<MpiLibrary> {
  const { default: koffi } = await import('koffi').catch((cause: Error) => {
    throw new MpiError(
      `ranks speak with one another by the optional package koffi, which does not load (${cause.message}). ` +
        'Run: npm install koffi',
      { cause },
    );
  });
  if ((koffi.config().async_stack_size ?? 0) < THREAD_STACK_BYTES) {
    try {
      koffi.config({ async_stack_size: THREAD_STACK_BYTES });
    } catch (cause) {
      throw new MpiError(
        'join the job before the GPU is opened: afterwards its threads get too little stack',
        {
          cause,
        },
      );
    }
  }
  // Libraries see what is set here; what the user has set stays.
  for (const [name, value] of Object.entries(withoutMemoryHooks)) process.env[name] ??= value;
  const tried: string[] = [];
  for (const path of libraryCandidates(launch, env)) {
    try {
      const local = koffi.load(path);
      const version = versionOf(local.func('MPI_Get_library_version', 'int', ['void *', 'void *']));
      const family: Family = /^Open MPI/.test(version) ? 'Open MPI' : 'MPICH';
      if (launch.family && family !== launch.family && !env.TUBELET_MPI_LIBRARY) {
        tried.push(`${path} is ${version}`);
        continue;
      }
      // Open MPI opens plug-ins that look for its symbols among those of the process.
      const library = family === 'Open MPI' ? koffi.load(path, { global: true }) : local;
      keepLoaded(koffi.load(null), path);
      return family === 'Open MPI' ? openMpi(library, version) : mpich(library, version);
    } catch (error) {
      tried.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const launcher = launch.family ? `${launch.family}'s launcher` : 'a launcher';
  throw new MpiError(
    `this process is a rank of a job that ${launcher} has started, but the library to speak with the other ranks ` +
      `does not load:\n  ${tried.join('\n  ')}\nInstall the one that belongs to the launcher, or name its file in ` +
      `TUBELET_MPI_LIBRARY:\n  ${remedies.join('\n  ')}`,
  );
}

/** A handle that nobody closes: koffi unloads what it has loaded while threads of the library still run. */
function keepLoaded(program: KoffiLibrary, path: string): void {
  const RTLD_NOW = 2;
  (program.func('dlopen', 'void *', ['str', 'int']) as NativeFunction)(path, RTLD_NOW);
}

interface KoffiLibrary {
  func(name: string, result: string, parameters: string[]): unknown;
  symbol(name: string): unknown;
}

function versionOf(read: unknown): string {
  const text = Buffer.alloc(VERSION_BYTES);
  const length = Buffer.alloc(4);
  (read as NativeFunction)(text, length);
  const [first = ''] = text.toString('utf8', 0, length.readInt32LE()).split(/[\n,\0]/);
  return first.replaceAll(/\s+/g, ' ').trim();
}

function binder(library: KoffiLibrary, handle: string): MpiLibrary['bind'] {
  return (name, parameters) => {
    const types = parameters.map((type) => (['comm', 'type', 'op'].includes(type) ? handle : type));
    return library.func(name, 'int', types) as NativeFunction;
  };
}

/** Handles are the addresses of objects in the library. */
function openMpi(library: KoffiLibrary, version: string): MpiLibrary {
  const address = (name: string): unknown => library.symbol(name);
  return {
    version,
    bind: binder(library, 'void *'),
    world: address('ompi_mpi_comm_world'),
    types: {
      float32: address('ompi_mpi_float'),
      float64: address('ompi_mpi_double'),
      byte: address('ompi_mpi_byte'),
    },
    ops: { sum: address('ompi_mpi_op_sum'), max: address('ompi_mpi_op_max') },
    inPlace: 1n,
  };
}

/** Handles are numbers, which are part of the ABI that MPICH's relatives have agreed upon. */
function mpich(library: KoffiLibrary, version: string): MpiLibrary {
  return {
    version,
    bind: binder(library, 'int'),
    world: 0x44000000,
    types: { float32: 0x4c00040a, float64: 0x4c00080b, byte: 0x4c00010d },
    ops: { sum: 0x58000003, max: 0x58000001 },
    inPlace: 0xffffffffffffffffn,
  };
}
