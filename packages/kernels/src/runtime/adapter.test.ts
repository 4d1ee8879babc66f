import { describe, expect, it } from 'vitest';
import { isSoftwareAdapter, MATRIX_UNITS_FEATURE, summarizeAdapter } from './adapter.js';

describe('isSoftwareAdapter', () => {
  const info = { architecture: '', device: '', description: '' };
  it('tells CPU adapters from GPUs', () => {
    expect(isSoftwareAdapter({ ...info, description: 'llvmpipe (LLVM 15.0.6, 256 bits)' })).toBe(true);
    expect(isSoftwareAdapter({ ...info, architecture: 'swiftshader' })).toBe(true);
    expect(isSoftwareAdapter({ ...info, isFallbackAdapter: true })).toBe(true);
    expect(isSoftwareAdapter({ ...info, architecture: 'hopper', description: 'NVIDIA H100' })).toBe(false);
  });
});

describe('summarizeAdapter', () => {
  // As WebGPU hands them out: values behind getters of a prototype.
  class Config {
    readonly componentType = 'f16';
    readonly resultComponentType = 'f32';
    get M() {
      return 16;
    }
    get N() {
      return 8;
    }
    get K() {
      return 4;
    }
  }
  const info = {
    vendor: 'v',
    architecture: '',
    device: '',
    description: '',
    subgroupMatrixConfigs: [new Config()],
  };
  const adapter = { info } as unknown as GPUAdapter;

  it('lists matrix units where devices may use them', () => {
    expect(summarizeAdapter(adapter, [MATRIX_UNITS_FEATURE]).matrixUnits).toEqual([
      { componentType: 'f16', resultComponentType: 'f32', m: 16, n: 8, k: 4 },
    ]);
    expect(summarizeAdapter(adapter, ['subgroups'])).not.toHaveProperty('matrixUnits');
  });
});
