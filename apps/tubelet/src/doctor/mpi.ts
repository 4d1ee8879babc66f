import { libraryCandidates } from '@tubelet/mpi';
import { missing, ok, type Finding } from './system.js';

/** Calls `MPI_Get_library_version` of a shared library; throws when it does not load. */
export type MpiVersionReader = (library: string) => string;

/** The longest version text that the standard allows. */
const versionLengthBytes = 8192;

/** Reads the version through koffi. */
export async function koffiMpiVersionReader(): Promise<MpiVersionReader> {
  const { default: koffi } = await import('koffi');
  return (library) => {
    const version = koffi.load(library).func('MPI_Get_library_version', 'int', ['void *', 'void *']);
    const text = Buffer.alloc(versionLengthBytes);
    const length = Buffer.alloc(4);
    const code: unknown = version(text, length);
    if (code !== 0) throw new Error(`MPI_Get_library_version answers ${String(code)}`);
    return text.toString('utf8', 0, length.readInt32LE()).replace(/\0.*$/s, '');
  };
}

/** Which MPI library training on several processes would use. */
export function diagnoseMpi(read: MpiVersionReader, launcher: string | undefined): Finding[] {
  for (const library of libraryCandidates({ family: undefined }, process.env)) {
    let version: string;
    try {
      version = read(library);
    } catch {
      // Not installed under this name: the next one is asked.
      continue;
    }
    const first = version.split(/[\n,]/)[0]?.replaceAll(/\s+/g, ' ').trim() ?? '';
    const findings = [ok('MPI', `${first} (${library})`)];
    if (launcher === undefined) {
      findings.push(
        missing('MPI', 'mpirun is not on PATH: several processes cannot be started with it.', [
          'Debian, Ubuntu: apt-get install openmpi-bin (or mpich)',
        ]),
      );
    }
    return findings;
  }
  return [
    missing('MPI', 'none: only training on several processes needs it.', [
      'Debian, Ubuntu: apt-get install openmpi-bin libopenmpi3 (or mpich)      conda: conda install openmpi',
    ]),
  ];
}
