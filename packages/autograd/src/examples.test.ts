import { afterEach, expect, it, vi } from 'vitest';
import example from '../examples/fit-a-curve.ts?raw';
import readme from '../../../README.md?raw';

afterEach(() => vi.restoreAllMocks());

it('runs the example of the README, which fits its curve', async () => {
  expect(readme).toContain(example.trimEnd());
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  await import('../examples/fit-a-curve.js');
  const losses = log.mock.calls.map(([line]) => Number(/loss (.*)$/.exec(String(line))![1]));
  expect(losses).toHaveLength(3);
  expect(losses[2]).toBeLessThan(0.02);
});
