import { paperRuntime, type Runtime } from '@tubelet/kernels';
import { nodeCompiler, tuningFile, writeTuningTable } from '@tubelet/kernels/node';
import { TuningTable, tunableVariants, tuningIdentity } from '@tubelet/kernels/tuning';
import type { JsonValue } from '../run/run-folder.js';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeTuning, useTuning } from './tuning.js';

const GPU = { adapter: { description: 'GPU of the test' } };
const OTHER_GPU = { adapter: { description: 'another GPU' } };

let folder: string;
let notes: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tubelet-programs-tuning-'));
  notes = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Puts a table of one choice into the cache folder: of the variant with this index, 0 the shipped one. */
function plant(gpu: typeof GPU, variant = 1): TuningTable {
  const runtime = paperRuntime(gpu);
  const [kernel, variants] = [...tunableVariants(runtime)][0]!;
  const choice = { kernel, shape: 0, variant: variants[variant]!.name };
  const table = new TuningTable(tuningIdentity(runtime, nodeCompiler()), [choice]);
  writeTuningTable(runtime, table, {}, folder);
  return table;
}

/** Begins a run, or goes on with one of which only what it says of its table matters. */
function use(gpu: typeof GPU, autotune = true, saved?: { readonly tuning?: JsonValue }): Runtime {
  const runtime = paperRuntime(gpu);
  useTuning(runtime, { autotune, saved, directory: folder, note: (message) => notes.push(message) });
  return runtime;
}
const digest = ({ tuning }: Runtime) => (tuning as TuningTable | undefined)?.digest;
/** What the configuration of a run says after it went through a file. */
const saved = (runtime: Runtime) => ({
  tuning: JSON.parse(JSON.stringify(describeTuning(runtime))) as JsonValue,
});

describe('a new run', () => {
  it('has no table where nothing was measured, and says so in its configuration', () => {
    const runtime = use(GPU);
    expect(runtime.tuning).toBeUndefined();
    expect(describeTuning(runtime)).toBeNull();
    expect(notes).toEqual([]);
  });

  it("uses this device's table, says so, and keeps all of it in its configuration", () => {
    const table = plant(GPU);
    const runtime = use(GPU);
    expect(digest(runtime)).toBe(table.digest);
    expect(notes).toEqual([`variants of kernels by the tuning table ${table.digest} of this device`]);
    expect(saved(runtime).tuning).toMatchObject({ digest: table.digest, choices: [{ form: 0 }] });
  });

  it('uses none with --no-autotune, whatever is there', () => {
    writeFileSync(writeTuningTable(paperRuntime(GPU), plant(GPU), {}, folder), 'damaged');
    expect(use(GPU, false).tuning).toBeUndefined();
    expect(notes).toEqual([]);
  });

  it('names a table that cannot be used, once, and goes on without', () => {
    plant(GPU);
    const path = tuningFile(paperRuntime(GPU), folder);
    writeFileSync(path, '{}');
    expect(use(GPU).tuning).toBeUndefined();
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/^cannot use .*not a tubelet tuning table.*shipped variants/);
    expect(notes[0]).toContain(path);
  });
});

describe('a resumed run', () => {
  it('goes on with the table that it was begun with, whatever was measured since', () => {
    const table = plant(GPU);
    const begun = saved(use(GPU));
    notes = [];
    expect(digest(use(GPU, true, begun))).toBe(table.digest);
    expect(notes).toEqual([]);
    const newer = plant(GPU, 0);
    expect(digest(use(GPU, true, begun))).toBe(table.digest);
    expect(notes.join()).toContain(`begun with, not the newer ${newer.digest}`);
    rmSync(tuningFile(paperRuntime(GPU), folder));
    expect(digest(use(GPU, true, begun))).toBe(table.digest);
  });

  it.each([[{}], [{ tuning: null }]])('without a table goes on without: %j', (begun) => {
    expect(use(GPU, true, begun).tuning).toBeUndefined();
    expect(notes).toEqual([]);
    plant(GPU);
    expect(use(GPU, true, begun).tuning).toBeUndefined();
    expect(notes.join()).toMatch(/begun without a tuning table: .*\.json is not used/);
  });

  it('says that numbers may differ when --no-autotune takes its table away', () => {
    const table = plant(GPU);
    const begun = saved(use(GPU));
    notes = [];
    expect(use(GPU, false, begun).tuning).toBeUndefined();
    expect(notes).toEqual([
      `this run was begun with the tuning table ${table.digest}; with --no-autotune its numbers may differ in the last digits`,
    ]);
  });

  it('says so too where its table does not hold, and takes what was measured there', () => {
    const table = plant(GPU);
    const begun = saved(use(GPU));
    notes = [];
    expect(use(OTHER_GPU, true, begun).tuning).toBeUndefined();
    expect(notes.join()).toMatch(
      new RegExp(`table ${table.digest} .*"GPU of the test", and this is "another GPU"\\. With the shipped`),
    );
    const other = plant(OTHER_GPU);
    notes = [];
    expect(digest(use(OTHER_GPU, true, begun))).toBe(other.digest);
    expect(notes.join()).toContain(
      `With the table ${other.digest} its numbers may differ in the last digits`,
    );
  });

  it('says so where its configuration is damaged', () => {
    expect(use(GPU, true, { tuning: { format: 'none' } }).tuning).toBeUndefined();
    expect(notes.join()).toMatch(
      /in config\.json that this run was begun with cannot be used: .*With the shipped/,
    );
  });
});
