import { readFileSync } from 'node:fs';
import { afterEach, expect, it, vi } from 'vitest';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

afterEach(() => vi.restoreAllMocks());

it('runs the example of the README, which fits its curve', async () => {
  const example = read('../examples/fit-a-curve.ts');
  expect(read('../../../README.md')).toContain(example.trimEnd());
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  await import('../examples/fit-a-curve.js');
  const losses = log.mock.calls.map(([line]) => Number(/loss (.*)$/.exec(String(line))![1]));
  expect(losses).toHaveLength(3);
  expect(losses[2]).toBeLessThan(0.02);
});
