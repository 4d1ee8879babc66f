import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from './root.mjs';

/** The built command, `tubelet`. */
export const program = join(root, 'apps', 'tubelet', 'dist', 'cli.js');

/** @throws where the command is not built */
export function requireBuilt() {
  if (existsSync(program)) return;
  throw new Error(`${relative(root, program)} is not built. Run: npm run build`);
}

/** A command as the user would type it in the repository's root. */
export const commandText = (words: readonly string[]) =>
  ['npx', 'tubelet', ...words].map((word) => (/\s/.test(word) ? `"${word}"` : word)).join(' ');

/**
 * Runs a command in view of the user. It answers Ctrl-C itself, with a checkpoint.
 *
 * @param started the Node to start and its environment; the present ones unless given
 * @throws Error when it fails
 */
export function runProgram(
  words: readonly string[],
  { node = process.execPath, env = process.env }: { node?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<void> {
  console.log(`\n$ ${commandText(words)}`);
  return new Promise((resolve, reject) => {
    const child = spawn(node, [program, ...words], { cwd: root, env, stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else
        reject(new Error(`${words[0]} ended with ${signal ?? `exit code ${code}`}; what it said is above.`));
    });
  });
}
