import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from './root.mjs';

const entry = (app) => join(root, 'apps', app, 'dist', 'cli.js');

/** Throws where a program is not built. */
export function requireBuilt(...apps) {
  for (const app of apps) {
    if (existsSync(entry(app))) continue;
    throw new Error(`${relative(root, entry(app))} is not built. Run: npm run build`);
  }
}

/** Options as words of a command line, in their order; `true` stands for an option without a value. */
export const optionWords = (values) =>
  Object.entries(values).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [`--${name}`, String(value)],
  );

/** A command as the user would type it in the repository's root. */
export const commandText = (app, args) =>
  ['node', relative(root, entry(app)), ...args]
    .map((word) => (/\s/.test(word) ? `"${word}"` : word))
    .join(' ');

/**
 * Runs a built program in view of the user. It answers Ctrl-C itself, with a checkpoint.
 *
 * @param {{ node?: string, env?: NodeJS.ProcessEnv }} [options] the Node to start and its environment; the present ones
 *   unless given
 * @throws Error when it fails
 */
export function runProgram(app, args, { node = process.execPath, env = process.env } = {}) {
  console.log(`\n$ ${commandText(app, args)}`);
  return new Promise((resolve, reject) => {
    const child = spawn(node, [entry(app), ...args], { cwd: root, env, stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else
        reject(new Error(`${args[0]} ended with ${signal ?? `exit code ${code}`}; what it said is above.`));
    });
  });
}
