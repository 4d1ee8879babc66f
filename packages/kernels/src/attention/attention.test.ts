import { describe, it } from 'vitest';
import { checkKernel, checkReferenceBackward } from '../testing/kernel-harness.js';
import { useRuntime } from '../testing/test-runtime.js';
import { attentionKernel } from './attention.cases.js';

describe('attention', () => {
  const runtime = useRuntime();

  it('matches float64 on every case and variant', () => checkKernel(runtime(), attentionKernel));
  it('has a reference whose backward matches differences', () => checkReferenceBackward(attentionKernel));
});
