// Builds workspaces and what they depend on, quietly; what is built already takes a moment.
//
//   node --import ./scripts/typescript.mjs scripts/build.ts tubelet …
import { spawnSync } from 'node:child_process';
import { root } from './lib/root.mjs';
import { turbo } from './lib/tools.js';

// `.ci/run` has built everything, and a command beside this one may be reading it.
if (process.env.TUBELET_BUILT === '1') process.exit();

const workspaces = process.argv.slice(2);
if (workspaces.length === 0) {
  console.error('Name a workspace, such as tubelet.');
  process.exit(2);
}
const { status, error } = spawnSync(
  process.execPath,
  [
    turbo,
    'run',
    'build',
    ...workspaces.map((workspace) => `--filter=${workspace}...`),
    '--output-logs=errors-only',
  ],
  {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1' },
  },
);
if (error) console.error(error.message);
if (status !== 0) console.error(`Building ${workspaces.join(', ')} failed; \`npm run build\` shows why.`);
process.exitCode = status ?? 1;
