// Runs every package's tests, two packages at a time: a software GPU uses every core, but compiles kernels on one.
//
//   node scripts/test.mjs [--full]     --full also runs what takes minutes (TUBELET_TEST=full)
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { root } from './lib/root.mjs';

const unknown = process.argv.slice(2).filter((argument) => argument !== '--full');
if (unknown.length > 0) {
  console.error(`Unknown option ${unknown[0]}; the only one is --full.`);
  process.exit(2);
}
const full = process.argv.includes('--full') ? { TUBELET_TEST: 'full' } : {};
const turbo = createRequire(import.meta.url).resolve('turbo/bin/turbo');
// One package's failure does not hide another's.
const tasks = ['run', 'test', 'test:scripts', '--concurrency=2', '--output-logs=full', '--continue'];
const { status, error } = spawnSync(process.execPath, [turbo, ...tasks, '--log-order=grouped'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', ...full },
});
if (error) console.error(error.message);
process.exitCode = status ?? 1;
