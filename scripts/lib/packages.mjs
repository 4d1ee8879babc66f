// @ts-check
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.mjs';

/**
 * What npm writes down of a package.
 *
 * @typedef {{ version?: string, optional?: boolean, link?: boolean }} PackageEntry
 */

/**
 * Why the installed packages are not the locked ones; undefined when they are. npm writes a record
 * of what it installed as the last step of an installation, so one that was cut short has none.
 *
 * @param {{ packages: Record<string, PackageEntry> }} lock
 * @param {{ packages: Record<string, PackageEntry> } | undefined} installed
 * @returns {string | undefined}
 */
export function installationDifference(lock, installed) {
  if (installed === undefined) return 'no packages are installed yet';
  for (const [path, entry] of Object.entries(lock.packages)) {
    // The root itself and the sources of the workspaces are not installed; links to them are.
    if (!path.startsWith('node_modules/') && !path.includes('/node_modules/')) continue;
    const found = installed.packages[path];
    // Optional packages are absent where they do not run, or where their install script failed.
    if (found === undefined && !entry.optional) return `${path} is not installed`;
    if (found !== undefined && found.version !== entry.version) {
      return `${path} is version ${found.version}, not ${entry.version}`;
    }
  }
  return undefined;
}

/** @param {string} path */
function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/**
 * Installs the locked packages where they are not installed yet.
 *
 * @param {(line: string) => void} say
 * @throws Error when npm fails
 */
export function installPackages(say) {
  const lock = readJson(join(root, 'package-lock.json'));
  if (lock === undefined) throw new Error('package-lock.json is missing; this is not a whole clone.');
  const record = join(root, 'node_modules', '.package-lock.json');
  const reason = installationDifference(lock, readJson(record));
  if (reason === undefined) return;
  say(`Packages: npm ci, since ${reason}`);
  // Under Windows npm is a command script, which only a shell runs.
  const [command, args] = process.platform === 'win32' ? ['cmd', ['/c', 'npm', 'ci']] : ['npm', ['ci']];
  const { status, signal, error } = spawnSync(command, [...args, '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 900_000,
  });
  if (status !== 0) {
    throw new Error(`npm ci ended with ${error?.message ?? signal ?? `exit code ${status}`}`);
  }
}
