// Gives damaged files to every reader of what others have written, more than 100,000 of them; `--help` says how. From
// source: nothing is built.
import { spawnSync } from 'node:child_process';
import { bundleSource } from './lib/source.mjs';

const program = await bundleSource('benchmarks/src/fuzz/cli.ts');
const decoder = await bundleSource('packages/video/src/webcodecs/process.ts');
const args = [program, '--decoder', decoder, ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
process.exitCode = status ?? 1;
