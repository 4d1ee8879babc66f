import { describe, expect, it } from 'vitest';
import { PhiloxStream } from '../philox/philox.js';
import { testKernel } from '../testing/kernel-harness.js';
import { useRuntime } from '../testing/test-runtime.js';
import { dropPathKernel } from './drop-path.cases.js';
import {
  createDropPathBranches,
  DROP_PATH_PURPOSE,
  dropPathScales,
  dropPathScalesHost,
} from './drop-path.js';

describe('drop path', () => {
  const runtime = useRuntime();

  testKernel(runtime, dropPathKernel);

  it('drops at its rate and keeps the expectation', () => {
    const samples = Array.from({ length: 8000 }, (_, i) => i);
    const branches = [
      { branch: 0, rate: 0 },
      { branch: 7, rate: 0.25 },
    ];
    const scales = dropPathScalesHost({ branches, samples, seed: 1, epoch: 0 });
    expect(scales.subarray(0, 8000).every((scale) => scale === 1)).toBe(true);
    const drawn = scales.subarray(8000);
    expect(new Set(drawn)).toEqual(new Set([0, Math.fround(4 / 3)]));
    // The mean of 8000 factors has a standard deviation of 0.0065.
    expect(Math.abs(drawn.reduce((sum, scale) => sum + scale, 0) / 8000 - 1)).toBeLessThan(0.026);
  });

  it('takes unit u of branch 0 from draw u of the sample’s stream', () => {
    const scales = dropPathScalesHost({
      branches: [{ branch: 0, rate: 0.5 }],
      samples: [9],
      unitsPerSample: 10,
      seed: 3,
      epoch: 2,
    });
    const stream = new PhiloxStream({ seed: 3, purpose: DROP_PATH_PURPOSE, epoch: 2, sample: 9 });
    expect([...scales]).toEqual(Array.from({ length: 10 }, () => (stream.uniform() < 0.5 ? 0 : 2)));
  });

  it('depends on no other sample in the batch', () => {
    const draw = (samples: number[]) =>
      dropPathScalesHost({
        branches: [{ branch: 1, rate: 0.5 }],
        samples,
        unitsPerSample: 16,
        seed: 1,
        epoch: 1,
      });
    expect([...draw([4, 5]).subarray(16)]).toEqual([...draw([5])]);
    expect([...draw([4])]).not.toEqual([...draw([5])]);
  });

  it('refuses rates, numbers and shapes out of range', () => {
    runtime().scope(() => {
      expect(() => createDropPathBranches(runtime(), [{ branch: 2, rate: 1 }])).toThrow(
        /rate of branch 2 is 1/,
      );
      expect(() => createDropPathBranches(runtime(), [{ branch: -1, rate: 0 }])).toThrow(
        /branch number is -1/,
      );
      const branches = createDropPathBranches(runtime(), [{ branch: 0, rate: 0.1 }]);
      const samples = runtime().empty([4], 'u32');
      const call = (shape: number[]) => () =>
        dropPathScales(runtime(), { out: runtime().empty(shape), branches, samples, seed: 1, epoch: 1 });
      expect(call([1, 6])).toThrow(/do not fit/);
      expect(call([2, 4])).toThrow(/do not fit/);
      expect(call([4])).toThrow(/2 dimensions/);
    });
  });
});
