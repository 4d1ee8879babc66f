// Runs every package's tests, two packages at a time: a software GPU uses every core, but compiles kernels on one. Most
// of a first run is compiling, and llvmpipe compiles for vectors of 128 bits in little more than half of the time that
// its own width takes: unless LP_NATIVE_VECTOR_WIDTH says otherwise, that is the width. `npm run test:subgroups` runs
// others.
//
//   npm test
//   npm run test:full     runs what that leaves out, and nothing else (--rest): more shapes of the kernels
import { spawnSync } from 'node:child_process';
import { cacheDirectory } from '@tubelet/kernels/node';
import { root } from './lib/root.mjs';
import { shaderCache } from './lib/shader-cache.js';
import { turbo } from './lib/tools.js';

const unknown = process.argv.slice(2).filter((argument) => argument !== '--rest');
if (unknown.length > 0) {
  console.error(`Unknown option ${unknown[0]}; the only one is --rest.`);
  process.exit(2);
}
const rest = process.argv.includes('--rest');
console.log(
  rest
    ? '[test] the kernels on the shapes that `npm test` leaves out; a line tells of each file that is done'
    : '[test] all packages, two at a time; a line tells of each file that is done. Without a GPU this takes minutes, ' +
        'most of them while a software driver compiles kernels for the first time',
);
const tasks = rest ? ['test', '--filter=@tubelet/kernels'] : ['test', 'test:scripts', '--concurrency=2'];
// One package's failure does not hide another's.
const output = ['--output-logs=full', '--log-order=stream', '--continue'];
const width = process.env.LP_NATIVE_VECTOR_WIDTH ?? '128';
const env = {
  ...process.env,
  TURBO_TELEMETRY_DISABLED: '1',
  TUBELET_TEST: rest ? 'rest' : 'daily',
  LP_NATIVE_VECTOR_WIDTH: width,
  // Mesa's shader cache does not know the width: shared, it would hand out code compiled for another one.
  MESA_SHADER_CACHE_DIR: shaderCache(cacheDirectory(), `${width}-bit`),
};
const { status, error } = spawnSync(process.execPath, [turbo, 'run', ...tasks, ...output], {
  cwd: root,
  stdio: 'inherit',
  env,
});
if (error) console.error(error.message);
process.exitCode = status ?? 1;
