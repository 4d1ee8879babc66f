import { describe, expect, it } from 'vitest';
import { chooseGpu, GpuChoiceError } from './gpu-choice.js';
import { closeGpu, openGpu, requestNodeAdapter } from './gpu.js';
import { listVulkanDevices, type VulkanDevice } from './vulkan-devices.js';

const gpu = (bus: string, name = 'NVIDIA H200'): VulkanDevice => ({
  name,
  isSoftware: false,
  pciAddress: `0000:${bus}:00.0`,
});
const software: VulkanDevice = { name: 'llvmpipe', isSoftware: true, pciAddress: undefined };

/** Vulkan with these devices, and Mesa's layer where it is installed. */
const machine = (devices: VulkanDevice[], hasLayer: boolean) => {
  const env: NodeJS.ProcessEnv = {};
  const list = async () => {
    if (!hasLayer || env.MESA_VK_DEVICE_SELECT_FORCE_DEFAULT_DEVICE !== '1') return devices;
    return devices.filter(
      ({ pciAddress }) => env.DRI_PRIME === `pci-${pciAddress?.replaceAll(/[:.]/g, '_')}`,
    );
  };
  return { env, list, platform: 'linux' as const };
};

describe('chooseGpu', () => {
  it('tells Dawn the name of a GPU that has it alone', async () => {
    const options = machine([gpu('01', 'Radeon Pro W7900'), gpu('41'), software], false);
    expect(await chooseGpu(1, options)).toEqual(['adapter=NVIDIA H200']);
    expect(await chooseGpu(2, options)).toEqual(['adapter=llvmpipe']);
    expect(options.env).toEqual({});
  });

  it('hides the equals of a GPU by its place on the bus', async () => {
    const options = machine([gpu('18'), gpu('2a'), gpu('3a'), software], true);
    expect(await chooseGpu(1, options)).toEqual(['adapter=NVIDIA H200']);
    expect(options.env.DRI_PRIME).toBe('pci-0000_2a_00_0');
    // Dawn takes the first whose name holds the one it is told.
    const longer = machine([gpu('18', 'NVIDIA H200 NVL'), gpu('2a')], true);
    await chooseGpu(1, longer);
    expect(longer.env.DRI_PRIME).toBe('pci-0000_2a_00_0');
  });

  it('says so when nothing hides them, and leaves the environment as it was', async () => {
    const options = machine([gpu('18'), gpu('2a')], false);
    const choice = chooseGpu(1, options);
    await expect(choice).rejects.toThrow(GpuChoiceError);
    await expect(choice).rejects.toThrow(/0000:2a:00\.0[^]*mesa-vulkan-drivers[^]*one-gpu\.sh/);
    expect(options.env).toEqual({});
  });

  it('gives ranks GPUs in turn, and all of them the software driver where there is none', async () => {
    const options = machine([gpu('18'), gpu('2a'), software], true);
    await chooseGpu({ localRank: 3 }, options);
    expect(options.env.DRI_PRIME).toBe('pci-0000_2a_00_0');
    expect(await chooseGpu({ localRank: 3 }, machine([software], false))).toEqual(['adapter=llvmpipe']);
    expect(await chooseGpu({ localRank: 3 }, machine([], false))).toEqual([]);
  });

  it('chooses under Linux only', async () => {
    const elsewhere = { ...machine([gpu('18')], true), platform: 'darwin' as const };
    await expect(chooseGpu(0, elsewhere)).rejects.toThrow('--gpu 0: GPUs can be chosen under Linux only');
    expect(await chooseGpu({ localRank: 1 }, elsewhere)).toEqual([]);
  });

  it('names the GPUs there are when asked for another', async () => {
    await expect(chooseGpu(2, machine([gpu('18'), software], false))).rejects.toThrow(
      'there is no GPU 2: Vulkan offers 2\n  0  NVIDIA H200  0000:18:00.0\n  1  llvmpipe\nGive',
    );
  });
});

it('opens the device of a number, as Vulkan lists it in this process', async () => {
  const opened = await openGpu({ gpu: 0 });
  try {
    const [first, ...others] = await listVulkanDevices();
    const { info } = await requestNodeAdapter(opened);
    expect(info.device).toBe(first!.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'));
    await expect(openGpu({ gpu: others.length + 1 })).rejects.toThrow(`there is no GPU ${others.length + 1}`);
  } finally {
    closeGpu(opened);
  }
});
