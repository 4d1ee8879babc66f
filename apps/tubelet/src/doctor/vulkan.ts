import { installedIcds, namedDriver, type InstalledIcds } from '@tubelet/kernels/node';
import { missing, ok, type Finding, type System } from './system.js';

/** What decides whether Dawn finds a real GPU on Linux. */
export interface VulkanFacts {
  /** Names as nvidia-smi prints them; empty without an NVIDIA GPU, a general name without nvidia-smi. */
  nvidiaGpus: string[];
  /** `libGLX_nvidia.so.0` or `libEGL_nvidia.so.0`: NVIDIA's Vulkan driver itself. */
  nvidiaVulkanLibrary: string | undefined;
  /** `libvulkan.so.1` of the system. */
  vulkanLoader: boolean;
  icds: InstalledIcds;
  /** Set by the user: replaces the search for drivers. */
  driverFiles: string | undefined;
  nvidiaCapabilities: string | undefined;
  inContainer: boolean;
  /** Render nodes of GPUs that Mesa drives, such as `/dev/dri/renderD128`. */
  renderNodes: string[];
  wsl: boolean;
}

const libraryFolders = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
  '/usr/local/lib',
  '/usr/local/nvidia/lib64',
  '/usr/local/nvidia/lib',
];

/** Looks the facts up. */
export async function collectVulkanFacts(system: System): Promise<VulkanFacts> {
  const { env } = system;
  const linkerCache =
    (await system.run('ldconfig', ['-p'])) ?? (await system.run('/sbin/ldconfig', ['-p'])) ?? '';
  const searched = (env.LD_LIBRARY_PATH ?? '').split(':').filter(Boolean).concat(libraryFolders);
  const library = (name: string): string | undefined =>
    new RegExp(`${name.replaceAll('.', '\\.')}.* => (\\S+)`).exec(linkerCache)?.[1] ??
    searched.map((folder) => `${folder}/${name}`).find((path) => system.exists(path));

  const nodes = system.list('/dev').filter((name) => /^nvidia(\d+|ctl)$/.test(name));
  const names = await system.run('nvidia-smi', ['--query-gpu=name,driver_version', '--format=csv,noheader']);
  const nvidiaGpus = (names ?? '').split('\n').filter((line) => line.trim() !== '');
  if (nvidiaGpus.length === 0 && nodes.length > 0) nvidiaGpus.push(`/dev/${nodes[0]}`);
  return {
    nvidiaGpus,
    nvidiaVulkanLibrary: library('libGLX_nvidia.so.0') ?? library('libEGL_nvidia.so.0'),
    vulkanLoader: library('libvulkan.so.1') !== undefined,
    icds: installedIcds(env, (path) => system.list(path)),
    driverFiles: namedDriver(env),
    nvidiaCapabilities: env.NVIDIA_DRIVER_CAPABILITIES,
    inContainer:
      system.exists('/.dockerenv') ||
      system.exists('/run/.containerenv') ||
      env.KUBERNETES_SERVICE_HOST !== undefined,
    renderNodes: system.list('/dev/dri').filter((name) => name.startsWith('renderD')),
    wsl: system.exists('/dev/dxg'),
  };
}

const topic = 'Vulkan';

function nvidiaFindings(facts: VulkanFacts): Finding[] {
  const { icds, nvidiaVulkanLibrary } = facts;
  const gpu = `An NVIDIA GPU is here (${facts.nvidiaGpus[0]})`;
  const all = [...icds.standard, ...icds.elsewhere];
  if (nvidiaVulkanLibrary === undefined) {
    const capabilities = facts.nvidiaCapabilities ?? 'unset, which means compute and utility only';
    return [
      missing(
        topic,
        `${gpu}, but NVIDIA's Vulkan driver (libGLX_nvidia.so.0) is not${facts.inContainer ? ` in this container; NVIDIA_DRIVER_CAPABILITIES is ${capabilities}` : ''}.`,
        facts.inContainer
          ? [
              'Start the container with the graphics capability, for example:',
              '  docker run --gpus all -e NVIDIA_DRIVER_CAPABILITIES=all …',
              'or put `ENV NVIDIA_DRIVER_CAPABILITIES=all` into its Dockerfile, or that variable into the pod or compose file.',
              '`graphics,compute,utility` is enough. It takes effect when the container is started, not later inside it.',
            ]
          : [
              "Install the driver package with graphics (not the `-headless` or `-server` compute-only one), for example Ubuntu's `libnvidia-gl-…` of the same version as the kernel driver.",
            ],
      ),
    ];
  }
  if (!all.some((path) => /nvidia/i.test(path)) && facts.driverFiles === undefined) {
    const name = nvidiaVulkanLibrary.slice(nvidiaVulkanLibrary.lastIndexOf('/') + 1);
    const json = `{"file_format_version":"1.0.1","ICD":{"library_path":"${name}","api_version":"1.3.242"}}`;
    return [
      missing(
        topic,
        `${gpu} and so is its driver (${nvidiaVulkanLibrary}), but no nvidia_icd.json tells Vulkan of it.`,
        [
          'Write it (as root; elsewhere works too, named in VK_DRIVER_FILES):',
          `  mkdir -p /etc/vulkan/icd.d && echo '${json}' > /etc/vulkan/icd.d/nvidia_icd.json`,
          'A container started with NVIDIA_DRIVER_CAPABILITIES=all (or with `graphics` in it) has it from the start.',
        ],
      ),
    ];
  }
  return [];
}

/**
 * Why Dawn finds no real GPU, with remedies; what is in order is said as well.
 *
 * @param found whether Dawn opened a real GPU: then nothing is missing
 */
export function diagnoseVulkan(facts: VulkanFacts, found: boolean): Finding[] {
  const { icds } = facts;
  const all = [...icds.standard, ...icds.elsewhere];
  const findings: Finding[] = [
    facts.vulkanLoader
      ? ok(topic, 'loader: libvulkan.so.1 is installed')
      : ok(topic, 'loader: none in the system (an unpacked one can take its place)'),
    ok(topic, `driver descriptions: ${all.length > 0 ? all.join(', ') : 'none in the system'}`),
  ];
  if (facts.driverFiles !== undefined) {
    findings.push(ok(topic, `the environment names the driver, and no other is used: ${facts.driverFiles}`));
  }
  if (found) return findings;

  const gpuHere = facts.nvidiaGpus.length > 0 || facts.renderNodes.length > 0;
  if (facts.nvidiaGpus.length > 0) findings.push(...nvidiaFindings(facts));
  if (gpuHere && !facts.vulkanLoader) {
    findings.push(
      missing(topic, 'A GPU is here, but the Vulkan loader libvulkan.so.1 is not installed.', [
        'Debian, Ubuntu: apt-get install libvulkan1      Fedora, RHEL: dnf install vulkan-loader      Alpine: apk add vulkan-loader',
      ]),
    );
  }
  if (facts.renderNodes.length > 0 && facts.nvidiaGpus.length === 0) {
    findings.push(
      missing(topic, `A GPU is here (/dev/dri/${facts.renderNodes[0]}), but Dawn opens no driver for it.`, [
        'Debian, Ubuntu: apt-get install mesa-vulkan-drivers (Mesa 23 or newer)',
        'If it is installed: is this user in the groups `render` and `video`?',
      ]),
    );
  }
  if (facts.wsl) {
    findings.push(
      missing(
        topic,
        'This is WSL: its GPU is reached through D3D12, and Linux programs see it through Mesa only.',
        ['Run under Windows itself, where Dawn uses D3D12.'],
      ),
    );
  }
  return findings;
}
