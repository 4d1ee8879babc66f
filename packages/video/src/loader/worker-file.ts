/** Where the scripts of the decoding threads and processes are. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { PluginBuild } from 'esbuild';

/** The scripts: what they are called in the built package, and their sources. */
const SOURCES = {
  worker: './worker.ts',
  'decoder-process': '../webcodecs/process.ts',
  'face-detector': '../faces/detector-thread.ts',
} as const;
type Script = keyof typeof SOURCES;

const fromSources = new Map<Script, Promise<URL>>();

/**
 * The script next to the built package; or, when the sources themselves are running (tests), one bundled from them,
 * since Node cannot run TypeScript. It is kept inside the package, where its imports resolve.
 */
export function scriptFile(script: Script): Promise<URL> {
  const built = new URL(`./${script}.js`, import.meta.url);
  if (existsSync(built)) return Promise.resolve(built);
  let bundled = fromSources.get(script);
  if (bundled === undefined) {
    bundled = bundleSources(script);
    fromSources.set(script, bundled);
  }
  return bundled;
}

function keepPackagesExternal({ onResolve }: PluginBuild): void {
  onResolve({ filter: /^[^.]/ }, ({ path, kind }) =>
    kind === 'entry-point' || path.startsWith('@tubelet/') ? undefined : { path, external: true },
  );
}

async function bundleSources(name: Script): Promise<URL> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(SOURCES[name], import.meta.url))],
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
  if (script === undefined) throw new Error('esbuild made no script of the sources of @tubelet/video.');
  const digest = createHash('sha256').update(script.contents).digest('hex').slice(0, 16);
  const folder = fileURLToPath(new URL('../../.cache/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const file = `${folder}${name}-${digest}.mjs`;
  if (!existsSync(file)) {
    // Written aside and renamed: another process may be doing the same.
    writeFileSync(`${file}.${process.pid}`, script.contents);
    renameSync(`${file}.${process.pid}`, file);
  }
  return pathToFileURL(file);
}
