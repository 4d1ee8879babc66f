/** A device as the Vulkan loader of this process lists it. */
export interface VulkanDevice {
  readonly name: string;
  /** Computes on the CPU. */
  readonly isSoftware: boolean;
  /** Such as `0000:65:00.0`: what tells equal GPUs apart. Undefined for what lies on no PCI bus. */
  readonly pciAddress: string | undefined;
}

/*
 * The few structures of Vulkan that this takes, by their layout in memory (Vulkan 1.1; VK_EXT_pci_bus_info).
 */
const structureType = {
  applicationInfo: 0,
  instanceCreateInfo: 1,
  physicalDeviceProperties2: 1000059001,
  physicalDevicePciBusInfo: 1000212000,
};
const applicationInfo = { bytes: 48, apiVersion: 44 };
const instanceCreateInfo = { bytes: 64, applicationInfo: 24 };
/** Beginning with `VkPhysicalDeviceProperties` at 16; what follows the name is not looked at. */
const properties2 = { bytes: 1024, next: 8, deviceType: 32, deviceName: 36, nameBytes: 256 };
const pciBusInfo = { bytes: 32, domain: 16, bus: 20, device: 24, function: 28 };

const VULKAN_1_1 = (1 << 22) | (1 << 12);
/** Discrete, integrated and virtual GPUs before the others and the CPU, as `VkPhysicalDeviceType` numbers them. */
const ORDER_OF_TYPES = [2, 1, 3, 0, 4];
const CPU = 4;
const NOT_WRITTEN = 0xffffffff;

/**
 * The devices that Vulkan offers in this process, GPUs first and then by their place on the bus, so that every process of
 * a machine numbers them alike. The loader must have been found before (`useSystemDrivers`, `useSoftwareDriver`).
 *
 * @throws Error when the loader refuses an instance
 */
export async function listVulkanDevices(): Promise<VulkanDevice[]> {
  const { default: koffi } = await import('koffi');
  const library = koffi.load('libvulkan.so.1');
  const call = (name: string, result: string, ...parameters: string[]) =>
    library.func(name, result, parameters) as (...args: unknown[]) => number;
  const allocated: bigint[] = [];
  const allocate = (bytes: number) => {
    const address = koffi.alloc('uint8_t', bytes) as unknown as bigint;
    allocated.push(address);
    const view = new DataView(koffi.view(address, bytes));
    new Uint8Array(view.buffer).fill(0);
    return { address, view };
  };

  const application = allocate(applicationInfo.bytes);
  application.view.setUint32(0, structureType.applicationInfo, true);
  application.view.setUint32(applicationInfo.apiVersion, VULKAN_1_1, true);
  const create = allocate(instanceCreateInfo.bytes);
  create.view.setUint32(0, structureType.instanceCreateInfo, true);
  create.view.setBigUint64(instanceCreateInfo.applicationInfo, application.address, true);
  const instance = new BigUint64Array(1);
  try {
    const code = call(
      'vkCreateInstance',
      'int',
      'void *',
      'void *',
      'void *',
    )(create.address, null, instance);
    if (code !== 0) throw new Error(`the Vulkan loader answers ${code} to vkCreateInstance`);
    const enumerate = call('vkEnumeratePhysicalDevices', 'int', 'void *', 'void *', 'void *');
    const count = new Uint32Array(1);
    enumerate(instance[0], count, null);
    const devices = new BigUint64Array(count[0]!);
    enumerate(instance[0], count, devices);
    const describe = call('vkGetPhysicalDeviceProperties2', 'void', 'void *', 'void *');
    const found = [...devices.subarray(0, count[0])].map((device) => {
      const properties = allocate(properties2.bytes);
      const bus = allocate(pciBusInfo.bytes);
      properties.view.setUint32(0, structureType.physicalDeviceProperties2, true);
      properties.view.setBigUint64(properties2.next, bus.address, true);
      bus.view.setUint32(0, structureType.physicalDevicePciBusInfo, true);
      bus.view.setUint32(pciBusInfo.bus, NOT_WRITTEN, true);
      describe(device, properties.address);
      return readDevice(properties.view, bus.view);
    });
    found.sort((a, b) => a.order - b.order || (a.pciAddress ?? '').localeCompare(b.pciAddress ?? ''));
    return found.map(({ name, isSoftware, pciAddress }) => ({ name, isSoftware, pciAddress }));
  } finally {
    if (instance[0] !== 0n) call('vkDestroyInstance', 'void', 'void *', 'void *')(instance[0], null);
    for (const address of allocated) koffi.free(address);
  }
}

function readDevice(properties: DataView, bus: DataView): VulkanDevice & { readonly order: number } {
  const type = properties.getUint32(properties2.deviceType, true);
  const text = new Uint8Array(
    properties.buffer,
    properties.byteOffset + properties2.deviceName,
    properties2.nameBytes,
  );
  const part = (offset: number, digits: number) =>
    bus.getUint32(offset, true).toString(16).padStart(digits, '0');
  // Software drivers give the place 0.
  const isOnBus = type !== CPU && bus.getUint32(pciBusInfo.bus, true) !== NOT_WRITTEN;
  return {
    name: new TextDecoder().decode(text.subarray(0, text.indexOf(0))),
    isSoftware: type === CPU,
    pciAddress: isOnBus
      ? `${part(pciBusInfo.domain, 4)}:${part(pciBusInfo.bus, 2)}:${part(pciBusInfo.device, 2)}.${part(pciBusInfo.function, 1)}`
      : undefined,
    order: ORDER_OF_TYPES.indexOf(type),
  };
}
