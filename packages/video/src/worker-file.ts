/** Where the script of the decoding threads is. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { PluginBuild } from 'esbuild';

let fromSources: Promise<URL> | undefined;

/**
 * The script next to the built package; or, when the sources themselves are running (tests), one bundled from them,
 * since Node cannot run TypeScript in a thread. It is kept inside the package, where its imports resolve.
 */
export function workerScript(): Promise<URL> {
  const built = new URL('./worker.js', import.meta.url);
  if (existsSync(built)) return Promise.resolve(built);
  fromSources ??= bundleSources();
  return fromSources;
}

function keepPackagesExternal({ onResolve }: PluginBuild): void {
  onResolve({ filter: /^[^.]/ }, ({ path, kind }) =>
    kind === 'entry-point' || path.startsWith('@tubelet/') ? undefined : { path, external: true },
  );
}

async function bundleSources(): Promise<URL> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./worker.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // The project's own packages are sources as well.
    conditions: ['@tubelet/source'],
    loader: { '.wgsl': 'text' },
    plugins: [{ name: 'external-packages', setup: keepPackagesExternal }],
  });
  const script = outputFiles[0];
  if (script === undefined)
    throw new Error('esbuild made no worker script of the sources of @tubelet/video.');
  const name = createHash('sha256').update(script.contents).digest('hex').slice(0, 16);
  const folder = fileURLToPath(new URL('../.cache/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const file = `${folder}worker-${name}.mjs`;
  if (!existsSync(file)) {
    // Written aside and renamed: another process may be doing the same.
    writeFileSync(`${file}.${process.pid}`, script.contents);
    renameSync(`${file}.${process.pid}`, file);
  }
  return pathToFileURL(file);
}
