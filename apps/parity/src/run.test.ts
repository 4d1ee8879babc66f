import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Runtime } from '@tubelet/kernels';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { GoldenFolder } from './golden-folder.js';
import { Report } from './report.js';
import { runFolder } from './run.js';

const GOLDEN = fileURLToPath(new URL('../golden', import.meta.url));

describe('parity with the reference', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await openNodeRuntime();
    runtime.poisonAllocations = true;
  });
  afterAll(() => closeNodeRuntime(runtime));

  it('holds for every stored tensor: activations, predictions, losses, gradients, parameters after steps', async () => {
    const report = await runFolder(runtime, GOLDEN);
    expect(report.failures).toEqual([]);
    // Both models, all ablations, targets and tables were really compared.
    expect(report.comparisons.length).toBeGreaterThan(800);
    const groups = new Set(report.comparisons.map(({ group }) => group));
    for (const group of [
      'pretrain_tiny',
      'finetune_tiny',
      'finetune_droppath',
      'mixup',
      'targets',
      'tables',
      'clips',
      'resize',
      'RandAugment',
      'evaluation',
    ]) {
      expect(groups).toContain(group);
    }
    expect([...groups].filter((group) => group.startsWith('variant '))).toHaveLength(6);
    const tensors = new Set(report.comparisons.map(({ tensor }) => tensor));
    expect(tensors).toContain('learning-rate scales by layer');
    expect(tensors).toContain('parameter imported: lg_region_tokens');
    expect(report.omissions).toEqual([]);
  });
});

describe('reports', () => {
  it('name what is beyond its bound, not-a-number included', () => {
    const report = new Report();
    report.compare('case', 'fine', 'forward', [1, 2], [1, 2 + 1e-6]);
    report.compare('case', 'off', 'forward', [1, 2], [1, 2.001]);
    report.compare('case', 'gradient: broken', 'gradient', [NaN], [1]);
    report.compare('case', 'short', 'exact', [1], [1, 2]);
    expect(report.failures.map(({ tensor }) => tensor)).toEqual(['off', 'gradient: broken', 'short']);
    expect(report.format()).toContain(
      '3 of 4 tensors beyond their bounds: case off, case gradient: broken, case short',
    );
  });

  it('sum up families of gradients by their worst member', () => {
    const report = new Report();
    report.compareScalar('case', 'gradient: a', 'gradient', 1, 1);
    report.compareScalar('case', 'gradient: b', 'gradient', 1 + 1e-6, 1);
    expect(report.format()).toMatch(/gradient: worst of 2, b/);
    expect(report.format({ all: true })).toMatch(/gradient: a/);
  });
});

describe('folders', () => {
  const folder = mkdtempSync(join(tmpdir(), 'golden-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('without a manifest, or with a damaged one, are refused by name', () => {
    expect(() => new GoldenFolder(folder)).toThrow(/manifest\.json does not exist/);
    writeFileSync(join(folder, 'manifest.json'), '{');
    expect(() => new GoldenFolder(folder)).toThrow(/manifest\.json is not JSON/);
  });

  it('with a damaged tensor file are refused by the name of the file', () => {
    writeFileSync(join(folder, 'manifest.json'), '{"cases":{}}');
    writeFileSync(join(folder, 'tables.safetensors'), 'not safetensors');
    expect(() => new GoldenFolder(folder).tensors('tables')).toThrow(/tables\.safetensors/);
  });
});
