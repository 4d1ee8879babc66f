import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemErrorCode } from '../errors.js';

/** Names a process so that none that comes after it, here or elsewhere, is taken for it. */
export interface ProcessIdentity {
  readonly host: string;
  /** Since when the host has been up, and which processes see one another: a pid of another system means nothing here. */
  readonly system: string;
  readonly pid: number;
  /** When the process began: the system gives its pid to another one day. Empty where that cannot be found out. */
  readonly began: string;
}

function textOr<T>(otherwise: T, read: () => string): string | T {
  try {
    return read().trim();
  } catch {
    return otherwise;
  }
}

function thisSystem(): string {
  const boot = textOr('', () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'));
  const processes = textOr('', () => readlinkSync('/proc/self/ns/pid'));
  return `${boot} ${processes}`.trim();
}

/** When a process of this system began; empty where that is not told, undefined where it runs no more. */
function beginOf(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Anything else, such as a lack of permission, is said of a process that there is.
    if (systemErrorCode(error) === 'ESRCH') return undefined;
  }
  if (process.platform === 'win32') return '';
  if (process.platform !== 'linux') {
    return textOr('', () => execFileSync('ps', ['-o', 'lstart=', '-p', `${pid}`], { encoding: 'utf8' }));
  }
  const stat = textOr('', () => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The name stands in brackets and may hold any character; behind it the state, and 19 fields later the begin.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const hasEnded = fields[0] === 'Z' || fields[0] === 'X';
  return hasEnded ? undefined : (fields[19] ?? '');
}

export function thisProcess(): ProcessIdentity {
  return { host: hostname(), system: thisSystem(), pid: process.pid, began: beginOf(process.pid) ?? '' };
}

/** Whether a process still runs; undefined where it is one of another system, which cannot be asked from here. */
export function isRunning({ host, system, pid, began }: ProcessIdentity): boolean | undefined {
  if (host !== hostname() || system !== thisSystem()) return undefined;
  const now = beginOf(pid);
  return now !== undefined && (now === began || now === '' || began === '');
}
