import { describe, expect, it } from 'vitest';
import { testKernel } from '../testing/kernel-harness.js';
import { testRandom } from '../testing/random.js';
import { useRuntime } from '../testing/test-runtime.js';
import { emaKernel } from './ema.cases.js';
import { emaUpdate } from './ema.js';
import { emaReference } from './ema.reference.js';

describe('ema', () => {
  const runtime = useRuntime();

  testKernel(runtime, emaKernel);

  it('follows float64 over many updates with moving values', async () => {
    const count = 300;
    const decay = 0.9;
    const random = testRandom(5);
    const draw = () => Float32Array.from({ length: count }, () => random.normal());
    const start = draw();
    let expected = Float64Array.from(start);
    await runtime().scope(async () => {
      const average = runtime().upload(start, [count]);
      const values = runtime().empty([count]);
      for (let step = 0; step < 50; step++) {
        const next = draw();
        runtime().write(values, next);
        emaUpdate(runtime(), { average, values, decay });
        expected = Float64Array.from(emaReference(expected, Float64Array.from(next), decay));
      }
      const actual = await runtime().read(average);
      actual.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-6));
    });
  });

  it('leaves an average that has arrived where it is, however slow the decay', async () => {
    await runtime().scope(async () => {
      const start = Float32Array.of(0.1, -3.7, 1e-9, 12345.678, 0.3);
      const average = runtime().upload(start, [5]);
      const values = runtime().upload(start, [5]);
      for (let step = 0; step < 100; step++) emaUpdate(runtime(), { average, values, decay: 0.9999 });
      expect(await runtime().read(average)).toEqual(start);
    });
  });

  it('works on regions at an offset and leaves their surroundings alone', async () => {
    await runtime().scope(async () => {
      const bank = runtime().upload(new Float32Array(10), [10]);
      const values = runtime().upload(new Float32Array(10).fill(4), [10]);
      emaUpdate(runtime(), { average: bank.slice(0, 3, 5), values: values.slice(0, 1, 3), decay: 0.75 });
      expect([...(await runtime().read(bank))]).toEqual([0, 0, 0, 1, 1, 0, 0, 0, 0, 0]);
    });
  });

  it('refuses other sizes, shared memory and decays outside [0, 1)', () => {
    runtime().scope(() => {
      const average = runtime().empty([8]);
      const values = runtime().empty([8]);
      const call = (change: object) => () => emaUpdate(runtime(), { average, values, decay: 0.5, ...change });
      expect(call({ values: runtime().empty([7]) })).toThrow(/ema: values .* 8 elements, got f32\[7\]/);
      expect(call({ values: average })).toThrow(/average and values share a buffer/);
      expect(call({ decay: 1 })).toThrow(/decay is 1/);
      expect(call({ decay: NaN })).toThrow(/decay is NaN/);
    });
  });
});
