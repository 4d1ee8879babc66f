import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';

/**
 * Makes an empty folder beside a place, to be filled by this process and then renamed to it. What processes of this
 * machine that were killed have left beside the place is removed.
 *
 * @returns the path of the folder
 */
export function makeStaging(place: string): string {
  // Machines that share a folder do not know of each other's processes.
  const prefix = `${basename(place)}.${hostname()}.`;
  const parent = dirname(place);
  for (const name of existsSync(parent) ? readdirSync(parent) : []) {
    const pid = name.startsWith(prefix) ? name.slice(prefix.length) : '';
    if (/^\d+$/.test(pid) && (Number(pid) === process.pid || hasEnded(Number(pid))))
      rmSync(join(parent, name), { recursive: true, force: true });
  }
  const staging = join(parent, `${prefix}${process.pid}`);
  mkdirSync(staging, { recursive: true });
  return staging;
}

function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // Anything else, such as a lack of permission, is said of a process that there is.
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
