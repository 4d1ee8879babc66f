import { mkdir, rename } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './root.mjs';

/**
 * Imports a TypeScript module of the repository without a build: set-up and doctor run before there is one.
 *
 * @param {string} path relative to the repository's root
 * @returns {Promise<Record<string, any>>} the module's exports
 */
export async function importSource(path) {
  return import(`${pathToFileURL(await bundleSource(path)).href}?${process.pid}`);
}

/** Leaves the packages of others out, found from where they are imported: workspaces may have versions of their own. */
const othersStayOut = {
  name: 'packages of others',
  setup: (plugin) =>
    plugin.onResolve({ filter: /^[^./]/ }, async ({ path, kind, resolveDir, pluginData }) => {
      if (kind === 'entry-point' || path.startsWith('@tubelet/') || pluginData === 'found') return undefined;
      const found = await plugin.resolve(path, { kind, resolveDir, pluginData: 'found' });
      return {
        path: isAbsolute(found.path) ? pathToFileURL(found.path).href : path,
        external: true,
      };
    }),
};

/**
 * Makes a script of a TypeScript module of the repository and of what it imports of ours. It lies under `node_modules`,
 * which is out of the way.
 *
 * @param {string} path relative to the repository's root
 * @param {object} [how] `owner`, the folder of the package that the module belongs to: then our packages stay out too,
 *   and are those that it has, built, as a program that starts further processes and threads needs them
 * @returns {Promise<string>} the script's path
 */
export async function bundleSource(path, { owner } = {}) {
  const { build } = await import('esbuild');
  const folder = join(root, owner ?? '.', 'node_modules', '.cache', 'tubelet-scripts');
  await mkdir(folder, { recursive: true });
  const name = path.replaceAll(/[^\w]/g, '-');
  const temporary = join(folder, `${name}.${process.pid}.mjs`);
  const outfile = join(folder, `${name}.mjs`);
  await build({
    entryPoints: [join(root, path)],
    outfile: temporary,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    ...(owner === undefined
      ? { conditions: ['@tubelet/source'], plugins: [othersStayOut] }
      : { packages: 'external' }),
    loader: { '.wgsl': 'text' },
    logLevel: 'error',
    absWorkingDir: root,
  });
  // Several programs may start at once: each reads a whole file.
  await rename(temporary, outfile);
  return outfile;
}
