import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.mjs';

/** Entries for tests and tools, which programs do not import. */
const notForPrograms = ['./lab', './tuning', './package.json'];

/**
 * What programs can import of the packages, by their manifests.
 *
 * @returns {{ name: string, page: string, source: string }[]} the name that is imported, such as
 *   `@tubelet/autograd/layers`, its page in the reference, and its source file
 */
export const publicEntries = () =>
  ['kernels', 'autograd', 'mae-dfer', 'video', 'trainer', 'mpi'].flatMap((folder) => {
    const { exports } = JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8'));
    return Object.entries(exports)
      .filter(([entry]) => !notForPrograms.includes(entry))
      .map(([entry, { '@tubelet/source': source }]) => ({
        name: `@tubelet/${folder}${entry.slice(1)}`,
        page: `${folder}${entry.slice(1).replaceAll('/', '-')}`,
        source: join('packages', folder, source),
      }))
      .sort((a, b) => (a.page < b.page ? -1 : 1));
  });
