import { spawn } from 'node:child_process';

/** A command ended in a way its caller did not want. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
  /** A nonzero exit code is an answer instead of an error. */
  readonly allowFailure?: boolean;
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command without a shell and collects what it writes.
 *
 * @throws CommandError where it cannot be started, fails, is killed, or goes on for too long
 */
export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
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
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
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

/** Runs npm, which under Windows is a command script that only a shell runs. */
export function runNpm(args: readonly string[], options?: CommandOptions): Promise<CommandResult> {
  return process.platform === 'win32'
    ? runCommand('cmd', ['/c', 'npm', ...args], options)
    : runCommand('npm', args, options);
}
