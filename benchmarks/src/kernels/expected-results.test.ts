import type { Runtime, Variant } from '@tubelet/kernels';
import {
  kernelCatalogue,
  type KernelSpec,
  makeHostData,
  roundedToF16,
  testRandom,
  toFloat64,
} from '@tubelet/kernels/lab';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExpectedResults } from './expected-results.js';

const gelu = kernelCatalogue.find(({ name }) => name === 'gelu')!;
const { shape } = gelu.cases.find(({ kind }) => kind === 'tiny')!;
const inputs = makeHostData(gelu.inputs(shape), testRandom(1));
const [input] = Object.keys(inputs) as [string];
const spec: KernelSpec = { ...gelu, roundedInputs: [input] };
const exact = gelu.variants[0]!;
const half: Variant = { name: 'half', needs: [], prefers: 'any', precision: 'f16' };

/** What the kernel gives, of its inputs as they are or rounded, in f32. */
function results(rounds: boolean) {
  const seen = { ...toFloat64(inputs) };
  if (rounds) seen[input] = roundedToF16(seen[input]!);
  return Object.fromEntries(
    Object.entries(gelu.reference(shape, seen)).map(([name, values]) => [name, Float32Array.from(values)]),
  );
}

describe('expected results', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await openNodeRuntime();
  });
  afterAll(() => closeNodeRuntime(runtime));

  it.each([
    ['float64', 1e6],
    [exact.name, -1],
  ])('of a variant that rounds are those of rounded inputs, by %s', async (against, referenceMacs) => {
    const expected = new ExpectedResults(runtime, spec, { shape }, { inputs, initials: {} }, referenceMacs);
    expect(await expected.check(half, results(true))).toMatchObject({ against, passed: true });
    expect(await expected.check(half, results(false))).toMatchObject({ against, passed: false });
    runtime.forcedVariants.delete(spec.name);
  });

  it('of the others are not', async () => {
    const expected = new ExpectedResults(runtime, spec, { shape }, { inputs, initials: {} }, 1e6);
    expect(await expected.check(exact, results(false))).toMatchObject({ against: 'float64', passed: true });
    expect(await expected.check(exact, results(true))).toMatchObject({ against: 'float64', passed: false });
  });
});
