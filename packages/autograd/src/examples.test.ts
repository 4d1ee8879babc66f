import { afterEach, expect, it, vi } from 'vitest';
import type { Runtime } from '@tubelet/kernels';
import example from '../examples/fit-a-curve.ts?raw';
import readme from '../../../README.md?raw';

/** Absent in a page, where the example opens the page's own GPU. */
const node = 'window' in globalThis ? undefined : await import('@tubelet/kernels/node');

afterEach(() => vi.restoreAllMocks());

it('runs the example of the README, which fits its curve', async () => {
  expect(readme).toContain(example.trimEnd());
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const open = node && vi.spyOn(node, 'openNodeRuntime');
  await import('../examples/fit-a-curve.js');
  // A program that ends closes nothing; here other files follow in its process.
  for (const { value } of open?.mock.settledResults ?? []) node!.closeNodeRuntime(value as Runtime);
  const losses = log.mock.calls.map(([line]) => Number(/loss (.*)$/.exec(String(line))![1]));
  expect(losses).toHaveLength(3);
  expect(losses[2]).toBeLessThan(0.02);
});
