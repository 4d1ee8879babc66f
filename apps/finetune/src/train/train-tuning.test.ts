import {
  closeNodeRuntime,
  driverManifestName,
  nodeCompiler,
  openNodeRuntime,
  recordedDrivers,
  writeTuningTable,
} from '@tubelet/kernels/node';
import { TuningTable, tunableVariants, tuningIdentity } from '@tubelet/kernels/tuning';
import { readRunConfig } from '@tubelet/trainer';
import { checkpointPath } from '@tubelet/trainer/formats';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { writeDotData } from '../testing/moving-dots.js';
import { trainInProcess } from '../testing/train-in-process.js';

const SETTINGS = '--fold 1 --epochs 2 --accumulate 2 --clips 1 --validate-on none --save-every 1';
// Products differ in the order of their sums, and so in the last bits.
const KERNELS = ['layer-norm', 'cross-entropy', 'matmul'];

let folder: string;
let data: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tubelet-train-tuning-'));
  data = await writeDotData(join(folder, 'dots'), { subjects: 8 });
  // A cache folder of the test's own, with the drivers of the user's.
  const cache = join(folder, 'cache');
  await mkdir(cache);
  await writeFile(join(cache, driverManifestName), JSON.stringify({ drivers: recordedDrivers() }));
  vi.stubEnv('TUBELET_CACHE_DIR', cache);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** Leaves a table that chooses, for these kernels and all shapes, the variant with this index; 0 is the shipped one. */
async function plantTable(index: number): Promise<TuningTable> {
  const runtime = await openNodeRuntime();
  const choices = [...tunableVariants(runtime)]
    .filter(([kernel]) => KERNELS.includes(kernel))
    .map(([kernel, variants]) => ({ kernel, shape: 0, variant: variants[index]!.name }));
  const table = new TuningTable(tuningIdentity(runtime, nodeCompiler()), choices);
  writeTuningTable(runtime, table);
  closeNodeRuntime(runtime);
  return table;
}

it('uses the measured variants, and goes on with them to the same bytes when others were measured since', async () => {
  const at = (name: string) => join(folder, name);
  const weights = (run: string) => readFile(checkpointPath(at(run), 2));
  const train = (run: string, words = '') => trainInProcess(data, at(run), `${SETTINGS} ${words}`);
  const begun = await plantTable(1);

  const whole = await train('whole');
  expect(whole.text).toContain(`tuning table ${begun.digest} of this device`);
  expect(readRunConfig(at('whole')).tuning).toMatchObject({ digest: begun.digest });
  const shipped = await train('shipped', '--no-autotune');
  expect(shipped.text).not.toContain('tuning table');
  expect(readRunConfig(at('shipped')).tuning).toBeNull();
  expect((await weights('shipped')).equals(await weights('whole'))).toBe(false);

  await train('parts', '--stop-after 1');
  const since = await plantTable(0);
  const resumed = await train('parts', '--resume');
  expect(resumed.text).toContain(
    `${begun.digest} that this run was begun with, not the newer ${since.digest}`,
  );
  expect((await weights('parts')).equals(await weights('whole'))).toBe(true);
});
