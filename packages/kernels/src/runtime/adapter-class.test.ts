import { describe, expect, it } from 'vitest';
import { adapterClass, type AdapterClass } from './adapter-class.js';

const summary = { isSoftware: false, vendor: '', architecture: '', device: '', description: '' };

describe('adapterClass', () => {
  it.each<[AdapterClass, Partial<typeof summary>]>([
    ['software', { isSoftware: true, vendor: 'mesa', device: 'llvmpipe' }],
    ['discrete-nvidia', { vendor: 'nvidia', architecture: 'hopper', device: 'NVIDIA H100 80GB HBM3' }],
    ['integrated', { vendor: 'nvidia', device: 'NVIDIA Tegra Orin (nvgpu)' }],
    [
      'discrete-amd',
      { vendor: 'amd', architecture: 'rdna-3', device: 'AMD Radeon RX 7900 XTX (RADV NAVI31)' },
    ],
    ['integrated', { vendor: 'amd', architecture: 'rdna-3', device: 'AMD Radeon 780M (RADV PHOENIX)' }],
    ['integrated', { vendor: 'amd', device: 'AMD Radeon(TM) Graphics' }],
    ['discrete-intel', { vendor: 'intel', architecture: 'xe-2hpg', device: 'Intel(R) Graphics (BMG G21)' }],
    ['discrete-intel', { vendor: 'intel', device: 'Intel(R) Arc(TM) A770 Graphics (DG2)' }],
    ['integrated', { vendor: 'intel', architecture: 'gen-12lp', device: 'Intel(R) Iris(R) Xe Graphics' }],
    ['apple', { vendor: 'apple', architecture: 'metal-3', device: 'Apple M2 Max' }],
    ['mobile', { vendor: 'arm', architecture: 'valhall', device: 'Mali-G715' }],
    ['mobile', { vendor: 'qualcomm', architecture: 'adreno-7xx' }],
    ['unknown-gpu', { vendor: 'somebody' }],
    ['unknown-gpu', {}],
  ])('%s: %j', (expected, names) => expect(adapterClass({ ...summary, ...names })).toBe(expected));
});
