import { describe, it } from 'vitest';
import { checkKernel } from '../testing/kernel-harness.js';
import { useRuntime } from '../testing/test-runtime.js';
import { attentionBackwardKernel } from './attention.cases.js';

describe('attention-backward', () => {
  const runtime = useRuntime();

  it('matches float64 on every case and variant', () => checkKernel(runtime(), attentionBackwardKernel));
});
