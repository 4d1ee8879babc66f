import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GoldenFolder } from '../golden-folder.js';
import { Report } from '../report.js';
import { importCases } from './import-case.js';

const GOLDEN = fileURLToPath(new URL('../../golden', import.meta.url));
const PICKLE = 'pretrain_tiny.checkpoint-49.data.pkl.gz';
const DIGESTS = 'finetune_from_pretrain_tiny.json';

function reportOf(path: string): Report {
  const report = new Report();
  importCases(new GoldenFolder(path), report);
  return report;
}

describe('a checkpoint in the published format', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'golden-import-'));
    for (const file of ['manifest.json', PICKLE]) cpSync(join(GOLDEN, file), join(folder, file));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('gives the classifier every parameter that the reference takes from it, to the bit', () => {
    const { comparisons, failures, omissions } = reportOf(GOLDEN);
    expect(failures).toEqual([]);
    expect(omissions).toEqual([]);
    expect(comparisons).toHaveLength(67);
    expect(new Set(comparisons.map(({ kind }) => kind))).toEqual(new Set(['exact']));
  });

  it('is told when a parameter has other bits, or is not there', () => {
    const text = readFileSync(join(GOLDEN, DIGESTS), 'utf8');
    const other = text.replace(/("patch_embed.proj.bias": ")../, '$100');
    writeFileSync(
      join(folder, DIGESTS),
      other.replace('"sha256": {', `"sha256": { "nowhere.weight": "${'0'.repeat(64)}",`),
    );
    expect(
      reportOf(folder)
        .failures.map(({ tensor }) => tensor)
        .sort(),
    ).toEqual(['parameter imported: nowhere.weight', 'parameter imported: patch_embed.proj.bias']);
  });

  it('is not compared without what it must give', () => {
    expect(reportOf(folder).omissions).toEqual([`${PICKLE} (there is no ${DIGESTS} to compare with)`]);
  });
});
