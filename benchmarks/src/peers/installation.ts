import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Loads a package that was installed for the comparison, as the interface that the caller states. */
export type LoadPeer = <T>(specifier: string) => Promise<T>;

/** The engines to compare with could not be installed. */
export class InstallationError extends Error {
  override readonly name = 'InstallationError';
}

const FILES = ['package.json', 'package-lock.json'] as const;
const LOADER = 'load.js';
const INSTALL_TIMEOUT_MS = 1_800_000;

/** Runs a command in a folder; rejects with a message when it fails. */
export type Run = (command: string, args: readonly string[], cwd: string) => Promise<void>;

/**
 * Installs what `source` locks into `target` unless that is what lies there, so that later runs need no network. The
 * folder appears whole or not at all.
 *
 * @param source folder with package.json and package-lock.json
 * @param target folder to make, e.g. in the user's cache
 * @throws InstallationError when npm fails
 */
export async function installPeers(
  source: string,
  target: string,
  say: (line: string) => void,
  run: Run = runCommand,
): Promise<void> {
  if (isInstalled(source, target)) return;
  say(`Installing the engines to compare with into ${target} (npm ci, about 750 MB, this once) …`);
  const staging = `${target}.${process.pid}`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  try {
    for (const file of FILES) copyFileSync(join(source, file), join(staging, file));
    // Packages resolve from the folder of the file that imports them.
    writeFileSync(join(staging, LOADER), 'export const load = (specifier) => import(specifier);\n');
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], staging);
    rmSync(target, { recursive: true, force: true });
    renameSync(staging, target);
  } catch (error) {
    throw new InstallationError(
      `The engines to compare with cannot be installed: ${(error as Error).message}. ` +
        'Their first installation needs the npm registry.',
      { cause: error },
    );
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** Whether `target` holds an installation of the same files. */
function isInstalled(source: string, target: string): boolean {
  return FILES.every((file) => {
    const installed = join(target, file);
    return existsSync(installed) && readFileSync(installed).equals(readFileSync(join(source, file)));
  });
}

/** How packages of an installation are loaded; CommonJS modules as what they export. */
export function peerLoader(folder: string): LoadPeer {
  return async <T>(specifier: string): Promise<T> => {
    const { load } = (await import(pathToFileURL(join(folder, LOADER)).href)) as {
      load: (specifier: string) => Promise<{ default?: object }>;
    };
    const namespace = await load(specifier);
    return (specifier === '@jax-js/jax' ? namespace : (namespace.default ?? namespace)) as T;
  };
}

/** Version of a locked package. */
export function lockedVersion(source: string, name: string): string {
  const lock = JSON.parse(readFileSync(join(source, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version?: string }>>;
  };
  const version = lock.packages[`node_modules/${name}`]?.version;
  if (version === undefined) throw new RangeError(`package-lock.json does not lock ${name}`);
  return version;
}

function runCommand(command: string, args: readonly string[], cwd: string): Promise<void> {
  // Under Windows npm is a command script, which only a shell runs.
  const [file, all] = process.platform === 'win32' ? ['cmd', ['/c', command, ...args]] : [command, [...args]];
  return new Promise((resolve, reject) => {
    const child = spawn(file, all, { cwd, stdio: ['ignore', 'ignore', 'pipe'], timeout: INSTALL_TIMEOUT_MS });
    let messages = '';
    child.stderr.on('data', (text: Buffer) => (messages = (messages + text.toString()).slice(-2000)));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) return resolve();
      const lines = messages.split('\n').filter((line) => /\S/.test(line) && !/npm warn/.test(line));
      reject(new Error(`npm ends with ${code ?? signal}: ${lines.join(' ').trim() || 'no message'}`));
    });
  });
}
