import type { ParameterStore } from '@tubelet/autograd';
import { describe, expect, it } from 'vitest';
import type { GoldenTensors } from './golden-folder.js';
import { Report } from './report.js';
import { compareParameters } from './training-steps.js';

describe('parameters after steps of AdamW', () => {
  const tensors = (data: readonly number[]): GoldenTensors =>
    new Map([['w', { shape: [data.length], data: Float32Array.from(data) }]]) as unknown as GoldenTensors;
  const storeOf = (data: readonly number[]) =>
    ({ get: () => ({ read: () => Promise.resolve(Float32Array.from(data)) }) }) as unknown as ParameterStore;
  const learningRates = [1e-3, 2e-3];

  async function failures(
    actual: readonly number[],
    gradients: GoldenTensors | undefined,
  ): Promise<string[]> {
    const report = new Report();
    const stored: Record<string, GoldenTensors | undefined> = {
      'case.step2': tensors([1, 1, 1]),
      'case.grads': gradients,
    };
    const folder = { tensors: (name: string) => stored[name] };
    await compareParameters(report, folder, 'case', storeOf(actual), learningRates);
    return report.failures.map(({ tensor }) => tensor);
  }

  it('may differ where the gradient is lost in rounding, by no more than two steps can lead apart', async () => {
    const gradients = tensors([1, 1, 1e-6]);
    expect(await failures([1, 1, 1.006], gradients)).toEqual([]);
    expect(await failures([1, 1, 1.007], gradients)).toEqual(['undecided after step 2: w']);
    expect(await failures([1, 1, NaN], gradients)).toEqual(['undecided after step 2: w']);
  });

  it('are held to their bound everywhere else', async () => {
    expect(await failures([1, 1.001, 1], tensors([1, 1, 1e-6]))).toEqual(['parameter after step 2: w']);
    expect(await failures([1, 1, 1.001], tensors([1, 1, 1]))).toEqual(['parameter after step 2: w']);
    expect(await failures([1, 1, 1.001], tensors([1, 1, 0]))).toEqual(['parameter after step 2: w']);
    expect(await failures([1, 1, 1.001], undefined)).toEqual(['parameter after step 2: w']);
  });
});
