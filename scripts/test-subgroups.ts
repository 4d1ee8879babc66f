// Runs the kernel tests with subgroups of 4, 8 and 16 on llvmpipe, which takes its subgroup size from the width of its
// vectors, and prints a table. A processor need not have such vectors: LLVM makes narrower ones of them. `--bits 128` runs
// one width only; other arguments go to vitest, such as a folder.
import { spawnSync } from 'node:child_process';
import { cacheDirectory } from '@tubelet/kernels/node';
import { probe } from './lib/probe.js';
import { root } from './lib/root.mjs';
import { shaderCache } from './lib/shader-cache.js';
import { testsOfKernels, vitest } from './lib/tools.js';

const allWidthsBits = [128, 256, 512];
const bitsPerLane = 32;

/** The widths to run and what goes to vitest. */
function readArguments([first, bits, ...others]: readonly string[]) {
  if (first !== '--bits') return { widthsBits: allWidthsBits, tests: process.argv.slice(2) };
  if (!allWidthsBits.includes(Number(bits))) {
    console.error(`--bits: ${bits} cannot be used; expected one of ${allWidthsBits.join(', ')}`);
    process.exit(2);
  }
  return { widthsBits: [Number(bits)], tests: others };
}

const { widthsBits, tests } = readArguments(process.argv.slice(2));
const rows: Record<string, string>[] = [];
let failed = false;
for (const width of widthsBits) {
  const lanes = width / bitsPerLane;
  // Mesa's shader cache does not know the width: shared, it would hand out code compiled for another one.
  const MESA_SHADER_CACHE_DIR = shaderCache(cacheDirectory(), `${width}-bit`);
  // Code as users without a GPU have it; but no driver takes the widest vectors by itself, and they take long to optimise.
  const GALLIVM_PERF = width > 256 ? 'nopt' : '';
  const env = { ...process.env, LP_NATIVE_VECTOR_WIDTH: String(width), GALLIVM_PERF, MESA_SHADER_CACHE_DIR };
  const { report, reasons } = await probe({ env });
  const row = { 'vector width': `${width} bit`, subgroup: '-', tests: 'not run', seconds: '-' };
  rows.push(row);
  if (!report) {
    row.tests = `no adapter: ${reasons.join('; ')}`;
    failed = true;
    continue;
  }
  row.subgroup = `${report.subgroupMinSize}-${report.subgroupMaxSize}`;
  if (report.subgroupMaxSize !== lanes || report.subgroupMinSize !== lanes) {
    row.tests = `not run: the adapter (${report.description}) does not have subgroups of ${lanes}`;
    failed = true;
    continue;
  }
  console.log(`[subgroups] subgroups of ${lanes} on ${report.description}`);
  const start = Date.now();
  const { status } = spawnSync(process.execPath, [vitest, 'run', ...testsOfKernels(tests)], {
    cwd: root,
    stdio: 'inherit',
    env,
  });
  row.seconds = ((Date.now() - start) / 1000).toFixed(0);
  row.tests = status === 0 ? 'passed' : 'FAILED';
  failed ||= status !== 0;
}
console.table(rows);
process.exitCode = failed ? 1 : 0;
