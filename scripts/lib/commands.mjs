import { spawn } from 'node:child_process';
import { clearTimeout, setTimeout } from 'node:timers';

/** A command ended in a way its caller did not want. */
export class CommandError extends Error {
  name = 'CommandError';
}

/**
 * Runs a command without a shell and collects what it writes.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number, allowFailure?: boolean }} [options]
 *   with `allowFailure` a nonzero exit code is an answer instead of an error
 * @returns {Promise<{ code: number, stdout: string, stderr: string }>}
 */
export function runCommand(command, args, options = {}) {
  const { cwd, env, timeoutMs = 300_000, allowFailure = false } = options;
  return new Promise((resolve, reject) => {
    const shown = `${command} ${args.slice(0, 3).join(' ')}${args.length > 3 ? ' …' : ''}`;
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(new CommandError(`${shown}: ${error.message}`));
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const tail = `${stderr}\n${stdout}`.trim().split('\n').slice(-8).join('\n');
      if (timedOut) reject(new CommandError(`${shown}: no end after ${timeoutMs / 1000} s`));
      else if (code !== 0 && !(allowFailure && code !== null)) {
        reject(new CommandError(`${shown}: ended with ${signal ?? `exit code ${code}`}\n${tail}`));
      } else resolve({ code, stdout, stderr });
    });
  });
}
