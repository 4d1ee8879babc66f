// Runs a command as `npm test` runs its tests: a software driver compiles quickly, and what the tests have compiled serves
// again.
//
//   node --import ./scripts/typescript.mjs scripts/compiling-quickly.ts npm run gpu:report -- --short
import { spawnSync } from 'node:child_process';
import { cacheDirectory } from '@tubelet/kernels/node';
import { quickCompiling } from './lib/shader-cache.js';

const [command, ...words] = process.argv.slice(2);
if (command === undefined) {
  console.error('Name a command, such as npm run gpu:report.');
  process.exit(2);
}
const env = { ...process.env, ...quickCompiling(cacheDirectory()) };
const { status, error } = spawnSync(command, words, { stdio: 'inherit', env });
if (error) console.error(error.message);
process.exitCode = status ?? 1;
