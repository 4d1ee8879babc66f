/** Runs the program as its user does. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const sources = fileURLToPath(new URL('..', import.meta.url));

/** Packages from the registry stay outside; those of this repository are bundled from their sources. */
const registryPackages: Plugin = {
  name: 'registry-packages',
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === 'entry-point' || path.startsWith('@tubelet/') ? undefined : { path, external: true },
    );
  },
};

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program {
  start(args: readonly string[]): ChildProcess;
  run(args: readonly string[]): Promise<Ended>;
  remove(): void;
}

/** Bundles the program and its thread from the sources, inside this package, where what they import is found. */
export async function bundleProgram(): Promise<Program> {
  const cache = join(sources, '..', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'program-'));
  await build({
    entryPoints: ['testing/cli', 'worker'].map((name) => join(sources, `${name}.ts`)),
    entryNames: '[name]',
    outdir: folder,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@tubelet/source'],
    loader: { '.wgsl': 'text' },
    plugins: [registryPackages],
    logLevel: 'error',
  });
  const start = (args: readonly string[]) =>
    spawn(process.execPath, [join(folder, 'cli.js'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  return {
    start,
    async run(args) {
      const child = start(args);
      let [stdout, stderr] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      const [exitCode] = (await once(child, 'close')) as [number | null];
      return { exitCode, stdout, stderr };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
