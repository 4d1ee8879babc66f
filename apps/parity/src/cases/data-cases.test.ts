import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Runtime } from '@tubelet/kernels';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GoldenFolder } from '../golden-folder.js';
import { Report } from '../report.js';
import { dataCases } from './data-cases.js';

const GOLDEN = fileURLToPath(new URL('../../golden', import.meta.url));

let runtime: Runtime;
beforeAll(async () => void (runtime = await openNodeRuntime()));
afterAll(() => closeNodeRuntime(runtime));

async function reportOf(path: string): Promise<Report> {
  const report = new Report();
  await dataCases(runtime, new GoldenFolder(path), report);
  return report;
}

describe('clips, images and evaluation', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'golden-data-'));
    writeFileSync(join(folder, 'manifest.json'), '{"cases":{}}');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are those of the reference, and whatever is made of whole numbers is so to the bit', async () => {
    const { comparisons, failures, omissions } = await reportOf(GOLDEN);
    expect(failures).toEqual([]);
    expect(omissions).toEqual([]);
    const counts = (kind: string) =>
      Object.fromEntries(
        [...new Set(comparisons.map(({ group }) => group))].map((group) => [
          group,
          comparisons.filter((one) => one.group === group && one.kind === kind).length,
        ]),
      );
    expect(counts('exact')).toEqual({
      clips: 2 * 10 + 19 + 15,
      'multi-scale crop': 3,
      resize: 4,
      'random resized crop': 0,
      RandAugment: 1 + 15,
      evaluation: 2,
    });
    expect(counts('forward')).toMatchObject({ 'random resized crop': 3, RandAugment: 15, evaluation: 6 });
  });

  it('are found out when one number differs', async () => {
    const manifest = JSON.parse(readFileSync(join(GOLDEN, 'manifest_data.json'), 'utf8')) as {
      frame_indices: { finetune_test: { clips: number[][] }[] };
      randaugment: { op_args_used: Record<string, number[]> };
      evaluation: { pred: Record<string, number> };
    };
    manifest.frame_indices.finetune_test.at(-1)!.clips[1]![3]! += 1;
    manifest.randaugment.op_args_used['Rotate'] = [-21];
    manifest.evaluation.pred['/d/v3'] = 0;
    writeFileSync(join(folder, 'manifest_data.json'), JSON.stringify(manifest));
    copyFileSync(join(GOLDEN, 'data.safetensors'), join(folder, 'data.safetensors'));
    expect((await reportOf(folder)).failures.map(({ tensor }) => tensor)).toEqual([
      expect.stringMatching(/^frames in testing: \d+ frames/),
      'ra.Rotate',
      'predicted classes',
    ]);
  });

  it('are named as left out where a folder has none', async () => {
    const { comparisons, omissions } = await reportOf(folder);
    expect(comparisons).toEqual([]);
    expect(omissions).toEqual([expect.stringContaining('not in this folder')]);
  });
});
