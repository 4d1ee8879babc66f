import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.mjs';

/** Entries for tests and tools, which programs do not import. */
const notForPrograms = ['./lab', './tuning', './package.json'];

export interface PublicEntry {
  /** What is imported, such as `@tubelet/autograd/layers`. */
  readonly name: string;
  /** Its page in the reference. */
  readonly page: string;
  /** Its source file, below the repository's root. */
  readonly source: string;
}

/** What programs can import of the packages, by their manifests. */
export const publicEntries = (): PublicEntry[] =>
  ['kernels', 'autograd', 'mae-dfer', 'video', 'trainer', 'mpi'].flatMap((folder) => {
    const { exports } = JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8')) as {
      exports: Record<string, { '@tubelet/source': string }>;
    };
    return Object.entries(exports)
      .filter(([entry]) => !notForPrograms.includes(entry))
      .map(([entry, { '@tubelet/source': source }]) => ({
        name: `@tubelet/${folder}${entry.slice(1)}`,
        page: `${folder}${entry.slice(1).replaceAll('/', '-')}`,
        source: join('packages', folder, source),
      }))
      .sort((a, b) => (a.page < b.page ? -1 : 1));
  });
