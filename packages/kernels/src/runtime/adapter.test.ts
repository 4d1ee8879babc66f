import { describe, expect, it } from 'vitest';
import { isSoftwareAdapter } from './adapter.js';

describe('isSoftwareAdapter', () => {
  const info = { architecture: '', device: '', description: '' };
  it('tells CPU adapters from GPUs', () => {
    expect(isSoftwareAdapter({ ...info, description: 'llvmpipe (LLVM 15.0.6, 256 bits)' })).toBe(true);
    expect(isSoftwareAdapter({ ...info, architecture: 'swiftshader' })).toBe(true);
    expect(isSoftwareAdapter({ ...info, isFallbackAdapter: true })).toBe(true);
    expect(isSoftwareAdapter({ ...info, architecture: 'hopper', description: 'NVIDIA H100' })).toBe(false);
  });
});
