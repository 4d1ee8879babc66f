import { describe, expect, it } from 'vitest';
import { checkKernel } from '../testing/kernel-harness.js';
import { useRuntime } from '../testing/test-runtime.js';
import { philoxNormalKernel, philoxUint32Kernel, philoxUniformKernel } from './philox-fill.cases.js';
import { philoxNormal, philoxUint32, philoxUniform } from './philox-fill.js';
import { createPhiloxKey, writePhiloxKey } from './philox-key.js';
import { PhiloxStream, Purpose } from './philox.js';

describe('Philox on the GPU', () => {
  const runtime = useRuntime();

  it('gives the bits of the TypeScript stream', () => checkKernel(runtime(), philoxUint32Kernel));
  it('gives the uniform numbers of the TypeScript stream', () => checkKernel(runtime(), philoxUniformKernel));
  it('gives its normal numbers to 1e-6', () => checkKernel(runtime(), philoxNormalKernel));

  it('has normals accurate one by one, near zero and in the tails', async () => {
    const count = 1 << 18;
    const actual = await runtime().scope(async () => {
      const out = runtime().empty([count]);
      philoxNormal(runtime(), { out, seed: 4, purpose: Purpose.test });
      return runtime().read(out);
    });
    const stream = new PhiloxStream({ seed: 4, purpose: Purpose.test });
    let worst = 0;
    for (let i = 0; i < count; i++) {
      const expected = stream.normal();
      worst = Math.max(worst, Math.abs(actual[i]! - expected) / Math.max(1, Math.abs(expected)));
    }
    expect(worst).toBeLessThan(1e-6);
  });

  it('reads its key from an array, so that a recorded kernel can draw anew', async () => {
    await runtime().scope(async () => {
      const key = createPhiloxKey(runtime(), { seed: 1, epoch: 2, sample: 3 });
      const out = runtime().empty([4], 'u32');
      for (const epoch of [2, 5]) {
        writePhiloxKey(runtime(), key, { seed: 1, epoch, sample: 3 });
        philoxUint32(runtime(), { out, key, purpose: Purpose.test });
        const stream = new PhiloxStream({ seed: 1, epoch, sample: 3, purpose: Purpose.test });
        const expected = Array.from({ length: 4 }, () => stream.nextUint32());
        expect([...new Uint32Array(await runtime().readBytes(out))]).toEqual(expected);
      }
    });
  });

  it('refuses what it cannot fill', () => {
    runtime().scope(() => {
      const out = runtime().empty([4]);
      const fill = { out, seed: 1, purpose: Purpose.test };
      expect(() => philoxUint32(runtime(), fill)).toThrow(/philox-uint32: out is f32\[4\]/);
      expect(() => philoxUniform(runtime(), { ...fill, epoch: -1 })).toThrow(/epoch is -1/);
      expect(() => philoxUniform(runtime(), { ...fill, seed: 0.5 })).toThrow(/seed is 0.5/);
      expect(() => philoxUniform(runtime(), { out, key: out, purpose: Purpose.test })).toThrow(
        /createPhiloxKey/,
      );
    });
  });
});
