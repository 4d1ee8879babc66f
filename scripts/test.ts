// Runs all tests, two files at a time: a software GPU uses every core, but compiles kernels on one. Most of a first run is
// compiling, for which llvmpipe's vectors are narrow and its code is not optimised; `npm run test:subgroups` has wider ones
// and optimised code, in CI for a few kernels.
//
//   npm test
//   npm run test:full     runs what that leaves out, and nothing else (--rest): more shapes of the kernels
import { spawnSync } from 'node:child_process';
import { cacheDirectory } from '@tubelet/kernels/node';
import { root } from './lib/root.mjs';
import { quickCompiling } from './lib/shader-cache.js';
import { vitest } from './lib/tools.js';

const unknown = process.argv.slice(2).filter((argument) => argument !== '--rest');
if (unknown.length > 0) {
  console.error(`Unknown option ${unknown[0]}; the only one is --rest.`);
  process.exit(2);
}
const rest = process.argv.includes('--rest');
console.log(
  rest
    ? '[test] the kernels on the shapes that `npm test` leaves out; a line tells of each file that is done'
    : '[test] all tests; a line tells of each file that is done. Without a GPU this takes minutes, most of them while a ' +
        'software driver compiles kernels for the first time',
);
// Within a job of several ranks the tests are no rank of it.
const ofJob = /^(SLURM|OMPI|PMI|PMIX)_/;
const env = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofJob.test(name))),
  TUBELET_TEST: rest ? 'rest' : 'daily',
  ...quickCompiling(cacheDirectory()),
};
const { status, error } = spawnSync(process.execPath, [vitest, 'run'], { cwd: root, stdio: 'inherit', env });
if (error) console.error(error.message);
process.exitCode = status ?? 1;
