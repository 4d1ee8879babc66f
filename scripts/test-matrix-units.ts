// Runs the tests of the kernels that have variants for matrix units, and of these variants, on a driver that has such
// units, on the CPU: a newer llvmpipe, fetched into the cache folder. Says what ran, and fails when those variants did
// not, or the driver cannot be had. Arguments go to vitest, in place of those that choose these tests.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDirectory } from '@tubelet/kernels/node';
import { matrixUnitsDriver, matrixUnitsEnvironment, nodeWithDriver } from './lib/matrix-units-driver.js';
import { probe } from './lib/probe.js';
import { root } from './lib/root.mjs';
import { quickCompiling, shaderCache } from './lib/shader-cache.js';
import { testsOfKernels, vitest } from './lib/tools.js';

const kernels = ['matmul', 'attention', 'attention-backward'];
const variant = 'matrix-units';
/** Beside them the files of these kernels have tests that say nothing else here than on other drivers. */
const testNames = 'matrix.units|shape of the model';

const notes = mkdtempSync(join(tmpdir(), 'tubelet-'));

try {
  console.log('[matrix-units] a newer llvmpipe, fetched through apt unless the cache folder has it');
  const cache = cacheDirectory();
  const driver = await matrixUnitsDriver(cache);
  const node = nodeWithDriver(driver);
  const executions = join(notes, 'executions');
  const { GALLIVM_PERF } = quickCompiling(cache);
  const env = {
    ...matrixUnitsEnvironment(driver, cache),
    GALLIVM_PERF,
    MESA_SHADER_CACHE_DIR: shaderCache(cache, `matrix-units-${GALLIVM_PERF}`),
    TUBELET_EXECUTIONS: executions,
    TUBELET_VARIANT: variant,
  };
  const { report, reasons } = await probe({ env, node });
  if (!report) throw new Error(`llvmpipe ${driver.version} gives no adapter: ${reasons.join('; ')}`);
  const units = report.matrixUnits.map(
    ({ m, n, k, componentType, resultComponentType }) =>
      `${m}×${n}×${k} ${componentType}→${resultComponentType}`,
  );
  console.log(`Adapter: ${report.description}`);
  console.log(
    `Subgroups of ${report.subgroupMinSize} to ${report.subgroupMaxSize}; f16: ${report.features.includes('shader-f16') ? 'yes' : 'no'}`,
  );
  console.log(`Matrix units: ${units.join(', ') || 'none'}`);
  if (units.length === 0) throw new Error('this adapter has no matrix units to test with');

  const chosen = process.argv.slice(2);
  const ofVariants = [...kernels.map((kernel) => `src/${kernel}/`), '--testNamePattern', testNames];
  const tests = testsOfKernels(chosen.length > 0 ? chosen : ofVariants);
  // Only the processes that vitest starts for tests need the driver; esbuild and vite stay with the system's libraries.
  const startTestsWith = `data:text/javascript,process.execPath=${encodeURIComponent(JSON.stringify(node))}`;
  const { status } = spawnSync(process.execPath, ['--import', startTestsWith, vitest, 'run', ...tests], {
    cwd: root,
    stdio: 'inherit',
    env,
  });

  const lines = existsSync(executions) ? readFileSync(executions, 'utf8').trim().split('\n') : [];
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  console.table(
    [...counts].map(([line, count]) => {
      const [kernel, name] = line.split(' ');
      return { kernel, variant: name, 'cases compared with float64': count };
    }),
  );
  if (status !== 0) throw new Error('tests failed');
  const missing = kernels.filter((kernel) => !counts.has(`${kernel} ${variant}`));
  if (missing.length > 0) throw new Error(`no test ran the variant ${variant} of: ${missing.join(', ')}`);
} catch (error) {
  console.error(`[matrix-units] NOT PASSED: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  rmSync(notes, { recursive: true, force: true });
}
