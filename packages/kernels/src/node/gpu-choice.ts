import { TubeletError } from '../runtime/errors.js';
import { listVulkanDevices, type VulkanDevice } from './vulkan-devices.js';

/** The GPU that was asked for is not there, or cannot be told from its equals. */
export class GpuChoiceError extends TubeletError {}

/**
 * Which of several GPUs: its number in the order of `listVulkanDevices`, or the one for a rank, counted on its host: ranks
 * take GPUs in turn, and all of them the software driver where there is no GPU.
 */
export type GpuWanted = number | { readonly localRank: number };

export interface ChoiceOptions {
  readonly list?: () => Promise<VulkanDevice[]>;
  readonly env?: NodeJS.ProcessEnv;
  readonly platform?: NodeJS.Platform;
}

/**
 * Has Dawn use one device. It takes the first of a name, so that equal GPUs must be hidden from it: Mesa's device-select
 * layer does that for a place on the PCI bus, whatever the driver. Whether it has is looked at, not assumed. Call before
 * Dawn is opened.
 *
 * @returns flags for Dawn; none where there is no device
 * @throws GpuChoiceError when there is no such device, or nothing hides its equals, with the remedies
 */
export async function chooseGpu(
  wanted: GpuWanted,
  { list = listVulkanDevices, env = process.env, platform = process.platform }: ChoiceOptions = {},
): Promise<readonly string[]> {
  if (platform !== 'linux') {
    if (typeof wanted !== 'number') return [];
    throw new GpuChoiceError(
      `--gpu ${wanted}: GPUs can be chosen under Linux only, by Vulkan's list of them`,
    );
  }
  const devices = await list();
  if (devices.length === 0) return [];
  const gpus = devices.filter(({ isSoftware }) => !isSoftware).length;
  const index = typeof wanted === 'number' ? wanted : wanted.localRank % Math.max(gpus, 1);
  const device = devices[index];
  if (!device) {
    throw new GpuChoiceError(
      `there is no GPU ${index}: Vulkan offers ${devices.length}\n${listing(devices)}\nGive --gpu one of these numbers.`,
    );
  }
  const flags = [`adapter=${device.name}`];
  // Dawn looks for the name within names.
  const alike = devices.filter(({ name }) => name.includes(device.name));
  if (alike.length === 1) return flags;
  if (device.pciAddress !== undefined) {
    env.DRI_PRIME = `pci-${device.pciAddress.replaceAll(/[:.]/g, '_')}`;
    env.MESA_VK_DEVICE_SELECT_FORCE_DEFAULT_DEVICE = '1';
    const left = await list();
    if (left.length === 1 && left[0]!.pciAddress === device.pciAddress) return flags;
    delete env.DRI_PRIME;
    delete env.MESA_VK_DEVICE_SELECT_FORCE_DEFAULT_DEVICE;
  }
  throw new GpuChoiceError(
    `GPU ${index} cannot be told from the others of its name:\n${listing(devices)}\nDawn chooses by name alone, so that ` +
      "its equals must be hidden from the process. Any one of these does: Mesa's device-select layer, installed beside " +
      "the GPU's own driver (Debian, Ubuntu: apt-get install mesa-vulkan-drivers); a container for each process with " +
      'one GPU in it (NVIDIA_VISIBLE_DEVICES, docker --gpus device=N); deploy/one-gpu.sh before the command, which hides ' +
      'their device files where users may make namespaces.',
  );
}

function listing(devices: readonly VulkanDevice[]): string {
  return devices
    .map(({ name, pciAddress }, i) => `  ${i}  ${name}  ${pciAddress ?? ''}`.trimEnd())
    .join('\n');
}
