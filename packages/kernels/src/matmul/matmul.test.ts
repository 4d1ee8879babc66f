import { describe, expect, it } from 'vitest';
import { checkCase, checkKernel, checkReferenceBackward } from '../testing/kernel-harness.js';
import { useRuntime } from '../testing/test-runtime.js';
import { matmul, matmulVariants } from './matmul.js';
import { matmulKernel } from './matmul.cases.js';
import { splitsOf } from './matmul-variants.js';

const small = { ...matmulKernel, cases: matmulKernel.cases.filter(({ kind }) => kind !== 'model') };

describe('matmul', () => {
  const runtime = useRuntime();

  it('has a reference whose backward matches differences', () => checkReferenceBackward(matmulKernel));

  it.each(small.cases)('matches float64 with every variant: $name', async (matmulCase) => {
    for (const variant of matmulVariants) await checkCase(runtime(), matmulKernel, matmulCase, variant);
  });

  it('matches float64 on random shapes', () => checkKernel(runtime(), { ...matmulKernel, cases: [] }, { randomShapes: 8 }));

  it('matches float64 on a shape of the model', async () => {
    const shape = { m: 88, n: 512, k: 512, form: 'NT', epilogue: ['bias'] } as const;
    for (const variant of matmulVariants) {
      await checkCase(runtime(), matmulKernel, { name: 'pre-training, projection', shape }, variant);
    }
  });
});
