import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { useRuntime } from '../testing/test-runtime.js';
import { tunableVariants, tuningIdentity } from '../tuning/tunable.js';
import { TuningTable, TuningTableError } from '../tuning/tuning-table.js';
import { nodeCompiler, readTuningTable, tuningFile, writeTuningTable } from './tuning-file.js';

describe("a device's tuning table in the cache folder", () => {
  const runtime = useRuntime();
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'tubelet-tuning-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const table = (kernels?: string) => {
    const [kernel, variants] = [...tunableVariants(runtime())][0]!;
    const identity = tuningIdentity(runtime(), nodeCompiler());
    const choice = { kernel, shape: 0, variant: variants[1]!.name };
    return new TuningTable({ ...identity, kernels: kernels ?? identity.kernels }, [choice]);
  };
  const read = () => readTuningTable(runtime(), folder);
  const plant = (text: string) => {
    const path = tuningFile(runtime(), folder);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  };

  it('is absent at first, and read as it was written, whatever it replaced', () => {
    expect(read()).toBeUndefined();
    plant('{');
    const path = writeTuningTable(runtime(), table(), { measuredAt: 'now' }, folder);
    expect(path).toBe(tuningFile(runtime(), folder));
    expect(read()!.digest).toBe(table().digest);
    expect(readdirSync(dirname(path))).toHaveLength(1);
    expect(readFileSync(path, 'utf8')).toContain('"measuredAt": "now"');
  });

  it('is kept in a file for each adapter', () => {
    const { adapter } = runtime();
    const other = tuningFile({ adapter: { ...adapter, description: 'another driver' } }, folder);
    expect(other).not.toBe(tuningFile(runtime(), folder));
    expect(dirname(other)).toBe(dirname(tuningFile(runtime(), folder)));
  });

  it.each<[string, () => string, RegExp]>([
    ['damaged', () => '{"format": ', /it is not JSON/],
    ['cut short', () => '', /it is not JSON/],
    ['something else', () => '{}', /not a tubelet tuning table/],
    [
      'outdated',
      () => {
        const path = writeTuningTable(runtime(), table('before'), {}, folder);
        return readFileSync(path, 'utf8');
      },
      /the kernels have changed since it was measured/,
    ],
  ])('is refused with its path and a remedy when it is %s', (_, text, message) => {
    const path = plant(text());
    expect(read).toThrow(TuningTableError);
    expect(read).toThrow(message);
    expect(read).toThrow(`cannot use ${path}: `);
    expect(read).toThrow('`npx tubelet tune` measures anew');
  });
});
