import { Engine } from '@tubelet/autograd';
import type { Runtime } from '@tubelet/kernels';
import { classifierCase, dropPathCase } from './cases/classifier-case.js';
import { dataCases } from './cases/data-cases.js';
import { importCases } from './cases/import-case.js';
import { mixupCase } from './cases/mixup-case.js';
import { pretrainingCase } from './cases/pretraining-case.js';
import { tablesCase, targetsCase } from './cases/table-cases.js';
import { variantCases } from './cases/variant-cases.js';
import { GoldenFolder, type Json } from './golden-folder.js';
import { Report } from './report.js';

/** Runs every case of a folder that this program knows; the others are listed as omissions. */
export async function runFolder(
  runtime: Runtime,
  path: string,
  onCase: (name: string) => void = () => undefined,
): Promise<Report> {
  const folder = new GoldenFolder(path);
  const engine = new Engine(runtime);
  const report = new Report();
  for (const [name, testCase] of folder.cases()) {
    onCase(name);
    await runCase(engine, folder, name, testCase, report);
  }
  await dataCases(runtime, folder, report);
  importCases(folder, report);
  return report;
}

async function runCase(
  engine: Engine,
  folder: GoldenFolder,
  name: string,
  testCase: Json,
  report: Report,
): Promise<void> {
  if (name === 'targets') return targetsCase(engine, folder, report);
  if (name === 'tables') return tablesCase(folder, testCase, report);
  if (name === 'mixup') return mixupCase(engine.runtime, folder, testCase, report);
  if (name === 'variants') return variantCases(engine, folder, testCase, report);
  const config = (testCase['config'] ?? {}) as Json;
  if ('encoder_embed_dim' in config) return pretrainingCase(engine, folder, name, testCase, report);
  if ('per_block_rate' in config) return dropPathCase(engine, folder, name, testCase, report);
  if ('n_cls' in config) return classifierCase(engine, folder, name, testCase, report);
  report.omit(`case "${name}" (not a part of the engine or the models)`);
}
