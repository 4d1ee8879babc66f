import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.mjs';
import { runNpm } from './setup.mjs';

/** The packages that are published, from below to above, by what their manifests say. */
export function publishedPackages() {
  const folders = ['packages', 'apps'].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => join(root, parent, name)),
  );
  return folders
    .map((folder) => ({ folder, ...JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }))
    .filter((manifest) => !manifest.private);
}

/**
 * Packs a built package as `npm publish` does.
 *
 * @param {string} folder of the package
 * @param {string} to an existing folder
 * @returns {Promise<{ path: string, files: { path: string, size: number }[], size: number }>} the tarball; sizes in bytes
 */
export async function pack(folder, to) {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', to];
  const { stdout } = await runNpm(args, { cwd: folder });
  const answer = JSON.parse(stdout);
  const [{ filename, files, size }] = Array.isArray(answer) ? answer : Object.values(answer);
  return { path: join(to, filename.replace('@', '').replace('/', '-')), files, size };
}
