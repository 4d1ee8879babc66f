import { describe, expect, it } from 'vitest';
import { halfBits } from '../runtime/half.js';
import { testKernel } from '../testing/kernel-harness.js';
import { testRandom } from '../testing/random.js';
import { useRuntime } from '../testing/test-runtime.js';
import { adamwKernel, adamwSettings } from './adamw.cases.js';
import { adamwStep, adamwStepData } from './adamw.js';
import { adamwReference } from './adamw.reference.js';

describe('adamw', () => {
  const runtime = useRuntime();

  testKernel(runtime, adamwKernel);

  it('stays with float64 over 30 steps on a least-squares problem', async () => {
    const count = 700;
    const random = testRandom(3);
    const draw = (length: number) => Float32Array.from({ length }, () => random.normal());
    const start = draw(count);
    const goal = draw(count);
    const groupOfBlock = Uint32Array.of(0, 1, 0);
    let state: ReturnType<typeof adamwReference> = {
      parameters: Float64Array.from(start),
      firstMoment: new Float64Array(count),
      secondMoment: new Float64Array(count),
    };
    await runtime().scope(async () => {
      const zeros = new Float32Array(count);
      const arrays = {
        parameters: runtime().upload(start, [count]),
        gradients: runtime().empty([count]),
        firstMoment: runtime().upload(zeros, [count]),
        secondMoment: runtime().upload(zeros, [count]),
        groupOfBlock: runtime().upload(groupOfBlock, [3]),
        groups: runtime().empty([2, 4]),
        step: runtime().empty([4]),
      };
      for (let t = 1; t <= 30; t++) {
        const learningRate = 1e-2 * (1 - t / 60);
        const gradients = Float32Array.from(goal, (value, i) => 8 * (state.parameters[i]! - value));
        const groups = Float32Array.of(learningRate, 0.05, 0, 0, learningRate / 2, 0, 0, 0);
        const step = adamwStepData(t, adamwSettings, { gradientScale: 1 / 8 });
        runtime().write(arrays.gradients, gradients);
        runtime().write(arrays.groups, groups);
        runtime().write(arrays.step, step);
        adamwStep(runtime(), { ...arrays, ...adamwSettings });
        state = adamwReference(
          {
            ...state,
            gradients: Float64Array.from(gradients),
            groupOfBlock: Float64Array.from(groupOfBlock),
            groups: Float64Array.from(groups),
            step: Float64Array.from(step),
          },
          adamwSettings,
        );
      }
      const actual = await runtime().read(arrays.parameters);
      const worst = actual.reduce(
        (max, value, i) => Math.max(max, Math.abs(value - state.parameters[i]!)),
        0,
      );
      const moved = actual.reduce((max, value, i) => Math.max(max, Math.abs(value - start[i]!)), 0);
      expect(moved).toBeGreaterThan(0.1);
      expect(worst).toBeLessThan(2e-6);
    });
  });

  it('changes nothing where a step is skipped, even with infinite gradients', async () => {
    await runtime().scope(async () => {
      const array = (value: number) => runtime().upload(new Float32Array(3).fill(value), [3]);
      const arrays = {
        parameters: array(1),
        gradients: array(Infinity),
        firstMoment: array(2),
        secondMoment: array(3),
      };
      adamwStep(runtime(), {
        ...arrays,
        ...adamwSettings,
        groupOfBlock: runtime().upload(Uint32Array.of(0), [1]),
        groups: runtime().upload(Float32Array.of(0.1, 0.1, 0, 0), [1, 4]),
        step: runtime().upload(adamwStepData(1, adamwSettings, { skip: true }), [4]),
      });
      expect([...(await runtime().read(arrays.parameters))]).toEqual([1, 1, 1]);
      expect([...(await runtime().read(arrays.firstMoment))]).toEqual([2, 2, 2]);
      expect([...(await runtime().read(arrays.secondMoment))]).toEqual([3, 3, 3]);
    });
  });

  it('writes a twin that is the new parameters, rounded to the bit', async ({ skip }) => {
    skip(!runtime().hasFeature('shader-f16'), 'this device has no f16');
    const count = 700;
    const random = testRandom(8);
    const draw = (scale: number) => Float32Array.from({ length: count }, () => scale * random.normal());
    await runtime().scope(async () => {
      const upload = (values: Float32Array) => runtime().upload(values, [count]);
      const parameters = draw(1);
      // What f16 holds as infinity, and what it holds in few bits.
      parameters.set([70000, -70000, 1e-6]);
      const arrays = {
        parameters: upload(parameters),
        gradients: upload(draw(1)),
        firstMoment: upload(draw(0.1)),
        secondMoment: upload(draw(0.1).map(Math.abs)),
        twin: runtime().empty([count], 'f16'),
      };
      adamwStep(runtime(), {
        ...arrays,
        ...adamwSettings,
        groupOfBlock: runtime().upload(new Uint32Array(3), [3]),
        groups: runtime().upload(Float32Array.of(1e-7, 0.1, 0, 0), [1, 4]),
        step: runtime().upload(adamwStepData(1, adamwSettings), [4]),
      });
      const rounded = halfBits(await runtime().read(arrays.parameters));
      expect(new Uint16Array(await runtime().readBytes(arrays.twin))).toEqual(rounded);
      expect([...rounded.slice(0, 2)], 'infinite').toEqual([0x7c00, 0xfc00]);
    });
  });

  it('decays parameters whose gradient has always been zero, and leaves their moments at zero', async () => {
    await runtime().scope(async () => {
      const array = (value: number) => runtime().upload(new Float32Array(2).fill(value), [2]);
      const arrays = {
        parameters: array(4),
        gradients: array(0),
        firstMoment: array(0),
        secondMoment: array(0),
      };
      adamwStep(runtime(), {
        ...arrays,
        ...adamwSettings,
        groupOfBlock: runtime().upload(Uint32Array.of(0), [1]),
        groups: runtime().upload(Float32Array.of(0.5, 0.5, 0, 0), [1, 4]),
        step: runtime().upload(adamwStepData(1, adamwSettings), [4]),
      });
      expect([...(await runtime().read(arrays.parameters))]).toEqual([3, 3]);
      expect([...(await runtime().read(arrays.secondMoment))]).toEqual([0, 0]);
    });
  });

  it('corrects the bias accurately from the first step to the millionth', () => {
    const [first1, first2] = adamwStepData(1, { beta1: 0.9, beta2: 0.999 });
    expect(first1).toBe(Math.fround(0.1));
    expect(first2).toBe(Math.fround(0.001));
    expect([...adamwStepData(1_000_000, adamwSettings)]).toEqual([1, 1, 1, 0]);
    expect(() => adamwStepData(0, adamwSettings)).toThrow(/step number is 0/);
  });

  it('refuses sizes that differ, shared memory and impossible settings', () => {
    runtime().scope(() => {
      const make = (size: number) => runtime().empty([size]);
      const options = {
        parameters: make(300),
        gradients: make(300),
        firstMoment: make(300),
        secondMoment: make(300),
        groupOfBlock: runtime().empty([2], 'u32'),
        groups: runtime().empty([1, 4]),
        step: make(4),
        ...adamwSettings,
      };
      const call = (change: Partial<typeof options>) => () => adamwStep(runtime(), { ...options, ...change });
      expect(call({ gradients: make(299) })).toThrow(/gradients is f32\[299\].* 300 elements/);
      expect(call({ groupOfBlock: runtime().empty([1], 'u32') })).toThrow(
        /groupOfBlock is u32\[1\].* 2 elements/,
      );
      expect(call({ secondMoment: options.firstMoment })).toThrow(/a storage of their own/);
      expect(call({ gradients: options.parameters })).toThrow(/a storage of their own/);
      expect(() => adamwStep(runtime(), { ...options, beta2: 1 })).toThrow(/beta2 1/);
      expect(() => adamwStep(runtime(), { ...options, twin: make(300) })).toThrow(
        /twin is f32\[300\].* contiguous f16 array of 300 elements/,
      );
    });
  });
});
