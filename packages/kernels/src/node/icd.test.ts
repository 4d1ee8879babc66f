import { expect, it } from 'vitest';
import { installedIcds } from './icd.js';

const folders: Record<string, string[]> = {
  '/etc/vulkan/icd.d': ['nvidia_icd.json', 'README'],
  '/usr/share/vulkan/icd.d': ['radeon_icd.json', 'lvp_icd.json'],
  '/usr/local/nvidia/share/vulkan/icd.d': ['nvidia_icd.json'],
  '/data/vulkan/icd.d': ['mine.json'],
};
const list = (path: string) => folders[path] ?? [];

it('lists the descriptions that the loader finds, and those it does not', () => {
  expect(installedIcds({}, list, '/home/u')).toEqual({
    standard: [
      '/etc/vulkan/icd.d/nvidia_icd.json',
      '/usr/share/vulkan/icd.d/lvp_icd.json',
      '/usr/share/vulkan/icd.d/radeon_icd.json',
    ],
    elsewhere: ['/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json'],
  });
});

it('follows the XDG folders', () => {
  const env = { XDG_DATA_HOME: '/data', XDG_DATA_DIRS: '/usr/local/nvidia/share' };
  expect(installedIcds(env, list, '/home/u')).toEqual({
    standard: [
      '/etc/vulkan/icd.d/nvidia_icd.json',
      '/data/vulkan/icd.d/mine.json',
      '/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json',
    ],
    elsewhere: [],
  });
});
