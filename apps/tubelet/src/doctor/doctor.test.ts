import { describe, expect, it } from 'vitest';
import type { GpuReport } from '@tubelet/kernels/node';
import { describeGpu } from './gpu.js';
import { diagnoseMpi } from './mpi.js';
import { formatFindings } from './report.js';
import { missing, ok, type System } from './system.js';
import { collectVulkanFacts, diagnoseVulkan } from './vulkan.js';

/** A machine with these paths, commands and variables, and nothing else. */
function machine(
  paths: string[],
  commands: Record<string, string> = {},
  env: NodeJS.ProcessEnv = {},
): System {
  return {
    platform: 'linux',
    env,
    exists: (path) => paths.includes(path),
    list: (folder) =>
      paths
        .filter((path) => path.slice(0, path.lastIndexOf('/')) === folder)
        .map((path) => path.slice(folder.length + 1)),
    run: (command) => Promise.resolve(commands[command]),
  };
}

async function advice(system: System): Promise<string> {
  return formatFindings(diagnoseVulkan(await collectVulkanFacts(system), false));
}

const smi = { 'nvidia-smi': 'NVIDIA H100 80GB HBM3, 550.54.15\n' };
const glx = '/usr/lib/x86_64-linux-gnu/libGLX_nvidia.so.0';
const linkerCache = (...paths: string[]) => ({
  ldconfig: paths
    .map((path) => `\t${path.slice(path.lastIndexOf('/') + 1)} (libc6,x86-64) => ${path}\n`)
    .join(''),
});
const loader = '/usr/lib/x86_64-linux-gnu/libvulkan.so.1';

describe('diagnoseVulkan', () => {
  it('tells a container without the graphics capability how to be started', async () => {
    const text = await advice(machine(['/dev/nvidia0', '/dev/nvidiactl', '/.dockerenv'], smi));
    expect(text).toContain('NVIDIA H100 80GB HBM3');
    expect(text).toContain('docker run --gpus all -e NVIDIA_DRIVER_CAPABILITIES=all');
    expect(text).toContain('unset, which means compute and utility only');
    expect(text).toContain('apt-get install libvulkan1');
  });

  it('recognises the GPU by its device node where nvidia-smi is missing', async () => {
    const text = await advice(
      machine(['/dev/nvidia0', '/run/.containerenv'], {}, { NVIDIA_DRIVER_CAPABILITIES: 'compute' }),
    );
    expect(text).toContain('/dev/nvidia0');
    expect(text).toContain('NVIDIA_DRIVER_CAPABILITIES is compute');
  });

  it('asks for the description where the driver is there without one', async () => {
    const text = await advice(machine(['/dev/nvidia0'], { ...smi, ...linkerCache(glx, loader) }));
    expect(text).toContain('no nvidia_icd.json');
    expect(text).toContain('/etc/vulkan/icd.d/nvidia_icd.json');
    expect(text).toContain('"library_path":"libGLX_nvidia.so.0"');
    expect(text).not.toContain('libvulkan1');
  });

  it('asks only for the loader where driver and description are there', async () => {
    const icd = '/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json';
    const facts = await collectVulkanFacts(machine(['/dev/nvidia0', icd], { ...smi, ...linkerCache(glx) }));
    const wrong = diagnoseVulkan(facts, false).filter(({ level }) => level === 'missing');
    expect(wrong).toHaveLength(1);
    expect(wrong[0]?.remedy.join('\n')).toContain('apt-get install libvulkan1');
  });

  it('names the Mesa driver for other GPUs, and nothing on a machine without one', async () => {
    expect(await advice(machine(['/dev/dri/renderD128']))).toContain('mesa-vulkan-drivers');
    const facts = await collectVulkanFacts(machine([]));
    expect(diagnoseVulkan(facts, false).every(({ level }) => level === 'ok')).toBe(true);
  });

  it('finds nothing missing once a real GPU was opened', async () => {
    const facts = await collectVulkanFacts(machine(['/dev/nvidia0'], smi));
    expect(diagnoseVulkan(facts, true).every(({ level }) => level === 'ok')).toBe(true);
  });
});

describe('diagnoseMpi', () => {
  const reader = (known: Record<string, string>) => (library: string) => {
    const version = known[library];
    if (version === undefined) throw new Error('not found');
    return version;
  };

  it('names the first library that answers', () => {
    const openMpi = reader({ 'libmpi.so.40': 'Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4' });
    expect(diagnoseMpi(openMpi, '/usr/bin/mpirun')).toEqual([ok('MPI', 'Open MPI v4.1.4 (libmpi.so.40)')]);
    const mpich = reader({ 'libmpich.so.12': 'MPICH Version:\t4.0.2\nMPICH Release date: 2022' });
    expect(diagnoseMpi(mpich, '/usr/bin/mpirun')[0]?.text).toBe('MPICH Version: 4.0.2 (libmpich.so.12)');
  });

  it('names what is missing, library or launcher', () => {
    expect(diagnoseMpi(reader({}), undefined)[0]?.remedy.join()).toContain('openmpi-bin');
    const findings = diagnoseMpi(reader({ 'libmpi.so.40': 'Open MPI v5.0.0' }), undefined);
    expect(findings.map(({ level }) => level)).toEqual(['ok', 'missing']);
  });
});

describe('describeGpu', () => {
  const report: GpuReport = {
    driver: 'llvmpipe',
    vendor: 'mesa',
    architecture: 'software',
    device: '',
    description: 'llvmpipe 25',
    software: true,
    subgroupMinSize: 8,
    subgroupMaxSize: 8,
    features: ['shader-f16', 'subgroups'],
    limits: { maxBufferSize: 2 ** 30, maxComputeWorkgroupStorageSize: 32768 },
    matrixUnits: [],
  };

  it('shows adapter, limits with units, and what is lacking', () => {
    const text = formatFindings(describeGpu(report, [], 'auto'));
    expect(text).toContain('llvmpipe 25');
    expect(text).toContain('it computes on the CPU');
    expect(text).toContain('maxBufferSize 1024 MiB');
    expect(text).toContain('maxComputeWorkgroupStorageSize 32 KiB');
    expect(text).toContain('without: timestamp-query (per-kernel times (--profile))');
  });

  it('lists matrix units with what they multiply and add in', () => {
    const unit = { componentType: 'f16', resultComponentType: 'f32', m: 16, n: 8, k: 16 };
    const other = { ...unit, componentType: 'u8', resultComponentType: 'u32', k: 32 };
    const text = formatFindings(describeGpu({ ...report, matrixUnits: [unit, other] }, [], 'auto'));
    expect(text).toContain('matrix units: 16×8×16 of f16 with sums in f32, 16×8×32 of u8 with sums in u32');
  });

  it('gives the reasons and the remedy without an adapter', () => {
    const [finding] = describeGpu(undefined, ['system drivers: none'], 'auto');
    expect(finding).toMatchObject({ level: 'missing' });
    expect(finding?.text).toContain('system drivers: none');
    const [named] = describeGpu(undefined, ['none'], 'auto', '/nowhere/driver.json');
    expect(named?.remedy[0]).toContain('unset VK_DRIVER_FILES');
  });
});

it('formats one block a topic, remedies below what they remedy', () => {
  const text = formatFindings([ok('A', 'fine'), missing('B', 'gone', ['do this']), ok('B', 'else')]);
  expect(text.split('\n')).toEqual(['A', '  · fine', '', 'B', '  ! gone', '      do this', '  · else']);
});
