import { describe, expect, it } from 'vitest';
import { PartialSums } from '../partial-sums/partial-sums.js';
import { product, type GpuArray } from '../runtime/gpu-array.js';
import { checkReferenceBackward, testKernel } from '../testing/kernel-harness.js';
import { testRandom } from '../testing/random.js';
import { useRuntime } from '../testing/test-runtime.js';
import { paperRuntime } from '../runtime/paper-device.js';
import { runnableVariants } from '../runtime/variants.js';
import { layerNormBackward } from './layer-norm-backward.js';
import { layerNormBackwardKernel, layerNormKernel } from './layer-norm.cases.js';
import { layerNormVariants, planLayerNorm } from './layer-norm-variants.js';
import { layerNorm } from './layer-norm.js';

type Three = [GpuArray, GpuArray, GpuArray];

describe('layer norm', () => {
  const runtime = useRuntime();

  testKernel(runtime, layerNormKernel, { randomShapes: 1 });
  testKernel(runtime, layerNormBackwardKernel, { randomShapes: 1 });
  it('has a reference whose backward matches differences', () => checkReferenceBackward(layerNormKernel));

  it('takes another epsilon', async () => {
    await runtime().scope(async () => {
      const x = runtime().upload(new Float32Array([-1, 1]), [1, 2]);
      const weight = runtime().upload(new Float32Array([1, 1]), [2]);
      const bias = runtime().upload(new Float32Array([0, 0]), [2]);
      const [out, mean, rstd] = [runtime().empty([1, 2]), runtime().empty([1]), runtime().empty([1])];
      layerNorm(runtime(), { x, weight, bias, out, mean, rstd, epsilon: 3 });
      expect([...(await runtime().read(out))]).toEqual([-0.5, 0.5]);
    });
  });

  it('gives the same bits where two that a subgroup holds share a dispatch, rows side by side in one array', async ({
    skip,
  }) => {
    const isRunnable = runnableVariants(runtime(), layerNormVariants).some(({ name }) => name === 'subgroup');
    skip(!isRunnable, 'this device has no subgroups that hold a row');
    const { maxStorageBuffersPerShaderStage: most } = runtime().device.limits;
    skip(most < 12, `a dispatch binds ${most} arrays here, too few for two layer norms`);
    const [groups, rows, columns] = [9, 7, 7];
    const random = testRandom(4);
    const normals = (...shape: number[]) =>
      runtime().upload(
        Float32Array.from({ length: product(shape) }, () => random.normal()),
        shape,
      );
    const { joinsKernels } = runtime();
    const read: Float32Array[][] = [];
    try {
      await runtime().scope(async () => {
        const [x, dOut, dx] = [1, 2, 3].map(() => normals(groups, rows, columns)) as Three;
        const weights = [normals(columns), normals(columns)];
        for (const kernel of ['layer-norm', 'layer-norm-backward'])
          runtime().forcedVariants.set(kernel, 'subgroup');
        for (const joins of [false, true]) {
          runtime().joinsKernels = joins;
          const sums = new PartialSums(runtime());
          const out = runtime().empty([groups, rows, columns]);
          const norms = [0, 1].map((i) => {
            const part = (array: GpuArray) => (i === 0 ? array.slice(1, 0, 1) : array.slice(1, 1, rows));
            const count = groups * (i === 0 ? 1 : rows - 1);
            return {
              ...{ x: part(x), weight: weights[i]!, bias: weights[1 - i]!, out: part(out), dOut: part(dOut) },
              ...{ dx: part(dx), mean: runtime().empty([count]), rstd: runtime().empty([count]) },
              ...{ dWeight: runtime().empty([columns]), dBias: runtime().empty([columns]) },
            };
          });
          const { dispatches } = runtime().counters;
          runtime().together(() => norms.forEach((norm) => layerNorm(runtime(), norm)));
          runtime().together(() => norms.forEach((norm) => layerNormBackward(runtime(), norm, sums)));
          expect(runtime().counters.dispatches - dispatches).toBe(joins ? 2 : 4);
          sums.flush();
          const results = [out, dx, ...norms.flatMap(({ dWeight, dBias }) => [dWeight, dBias])];
          read.push(await Promise.all(results.map((array) => runtime().read(array))));
        }
      });
    } finally {
      for (const kernel of ['layer-norm', 'layer-norm-backward']) runtime().forcedVariants.delete(kernel);
      runtime().joinsKernels = joinsKernels;
    }
    expect(read[1]).toEqual(read[0]);
  });

  it('refuses arrays that do not fit together, naming the kernel and the array', () => {
    runtime().scope(() => {
      const x = runtime().empty([4, 6]);
      const parameter = runtime().empty([6]);
      const [out, mean, rstd] = [runtime().empty([4, 6]), runtime().empty([4]), runtime().empty([4])];
      const arrays = { x, weight: parameter, bias: parameter, out, mean, rstd };
      expect(() => layerNorm(runtime(), { ...arrays, weight: mean })).toThrow(
        /layer-norm: weight must be a contiguous f32 array of 6 elements, got f32\[4\]/,
      );
      expect(() => layerNorm(runtime(), { ...arrays, out: x })).toThrow(/out and x share a buffer/);
      expect(() =>
        layerNormBackward(runtime(), { ...arrays, dOut: x, dx: out, dWeight: parameter, dBias: mean }),
      ).toThrow(/layer-norm-backward: dBias must be/);
    });
  });
});

describe('rows in the registers of a subgroup', () => {
  const planOn = (subgroupMinSize: number, columns: number, width: 1 | 4 = 4) => {
    const adapter = { features: ['subgroups'], subgroupMinSize, subgroupMaxSize: 32 };
    return planLayerNorm(paperRuntime({ adapter }), 'layer-norm', { rows: 808, columns }, width);
  };

  it('are what GPUs take, one program for all widths of the models', () => {
    const held = { variant: 'subgroup', invocations: 32, held: 4 };
    for (const columns of [128, 384, 512]) expect(planOn(32, columns)).toEqual(held);
    expect(planOn(32, 768)).toEqual({ ...held, held: 8 });
    expect(planOn(64, 512)).toEqual(held);
  });

  it('are left to a workgroup where they are too wide, or subgroups may be small', () => {
    const shared = { variant: 'workgroup', invocations: 64, held: undefined };
    expect(planOn(32, 1028)).toEqual(shared);
    expect(planOn(32, 257, 1)).toEqual(shared);
    expect(planOn(8, 512)).toEqual(shared);
    expect(planLayerNorm(paperRuntime(), 'layer-norm', { rows: 808, columns: 512 }, 4)).toEqual(shared);
  });

  it('are counted with the parts of the sums over them', () => {
    const runtime = paperRuntime({ adapter: { features: ['subgroups'] } });
    runtime.scope(() => {
      const [rows, columns] = [6464, 512];
      const [x, dOut, dx] = [1, 2, 3].map(() => runtime.empty([rows, columns]));
      const [weight, dWeight, dBias] = [1, 2, 3].map(() => runtime.empty([columns]));
      const [mean, rstd] = [runtime.empty([rows]), runtime.empty([rows])];
      layerNormBackward(runtime, {
        ...{ x: x!, dOut: dOut!, dx: dx!, mean, rstd },
        ...{ weight: weight!, dWeight: dWeight!, dBias: dBias! },
      });
      const { bytesRead, bytesWritten } = runtime.ledger.entries().get('layer-norm-backward')!;
      expect(bytesRead).toBe(4 * (2 * rows * columns + columns + 2 * rows));
      const parts = (bytesWritten - 4 * rows * columns) / (8 * columns);
      expect(parts).toBe(Math.ceil(rows / 13));
      const sums = runtime.ledger.entries().get('partial-sums')!;
      expect(sums.bytesRead).toBeGreaterThan(8 * parts * columns);
      expect(sums.bytesWritten).toBe(8 * columns);
    });
  });
});
