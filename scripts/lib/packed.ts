import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.mjs';
import { runNpm } from '../../apps/tubelet/src/setup/index.js';

/** What the manifest of a published package says. */
export interface PublishedPackage {
  /** Where it lies. */
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  readonly exports?: Readonly<Record<string, unknown>>;
}

interface Manifest extends Omit<PublishedPackage, 'folder'> {
  readonly private?: boolean;
}

/** A tarball; sizes in bytes. */
export interface Packed {
  readonly path: string;
  readonly files: readonly { readonly path: string; readonly size: number }[];
  readonly size: number;
}

/** The packages that are published, by what their manifests say. */
export function publishedPackages(): PublishedPackage[] {
  const folders = ['packages', 'apps'].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => join(root, parent, name)),
  );
  return folders
    .map((folder) => {
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
      return { folder, ...manifest };
    })
    .filter((manifest) => !manifest.private);
}

/**
 * Packs a built package as `npm publish` does.
 *
 * @param folder of the package
 * @param to an existing folder
 */
export async function pack(folder: string, to: string): Promise<Packed> {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', to];
  const { stdout } = await runNpm(args, { cwd: folder });
  // A list, or with newer versions of npm an object of them by name.
  const [packed] = Object.values(
    JSON.parse(stdout) as Record<string, Omit<Packed, 'path'> & { filename: string }>,
  );
  if (packed === undefined) throw new Error(`npm pack made nothing of ${folder}`);
  const { filename, files, size } = packed;
  return { path: join(to, filename.replace('@', '').replace('/', '-')), files, size };
}
