import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openJson } from './json-output.js';
import { UsageError } from './program.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tubelet-json-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('writes the report to the file that was named', () => {
  const file = join(folder, 'report.json');
  openJson(file)({ rows: [1] });
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ rows: [1] });
});

it('refuses a file that cannot be written before any work is done', () => {
  const file = join(folder, 'missing', 'report.json');
  expect(() => openJson(file)).toThrow(UsageError);
  expect(() => openJson(file)).toThrow(`--json: cannot write ${file}`);
});

it('writes nothing when no report was asked for', () => {
  expect(() => openJson(undefined)({})).not.toThrow();
});
