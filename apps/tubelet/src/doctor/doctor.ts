import { DriverChoiceError, vulkanChoice } from '@tubelet/kernels/node';
import type { Probe } from '../setup/probe.js';
import { diagnoseCache } from './cache.js';
import { diagnoseDecoders } from './decoders.js';
import { describeGpu } from './gpu.js';
import { diagnoseMpi, koffiMpiVersionReader } from './mpi.js';
import { formatFindings } from './report.js';
import { missing, ok, thisSystem, type Finding } from './system.js';
import { collectVulkanFacts, diagnoseVulkan } from './vulkan.js';

export interface DoctorOptions {
  readonly probe: Probe;
}

/**
 * Prints what this machine offers, and for everything missing what to do about it.
 *
 * @returns whether WebGPU has an adapter that programs will open
 */
export async function doctor({ probe }: DoctorOptions): Promise<boolean> {
  const wrongChoice = wrongChoiceOfDriver();
  // The rest is told as it will be once that is mended.
  const choice = wrongChoice ? 'auto' : vulkanChoice();
  const { report, reasons } = await probe(wrongChoice && { env: { TUBELET_VULKAN: undefined } });
  const findings: Finding[] = [
    ok('Node', `${process.version}, ${process.platform} ${process.arch}`),
    ...(wrongChoice ? [wrongChoice] : []),
    ...describeGpu(report, reasons, choice),
  ];
  if (process.platform === 'linux') {
    const facts = await collectVulkanFacts(thisSystem);
    findings.push(...diagnoseVulkan(facts, report !== undefined && !report.software));
  }
  const launcher = await thisSystem.run('mpirun', ['--version']);
  findings.push(...(await diagnoseDecoders()), ...(await mpiFindings(launcher)), ...diagnoseCache());
  console.log(formatFindings(findings));
  return report !== undefined && !wrongChoice;
}

function wrongChoiceOfDriver(): Finding | undefined {
  try {
    vulkanChoice();
    return undefined;
  } catch (error) {
    if (!(error instanceof DriverChoiceError)) throw error;
    return missing('GPU', `${error.message} With this value no program opens the GPU.`, [
      'unset TUBELET_VULKAN      the driver is then chosen by itself',
    ]);
  }
}

async function mpiFindings(launcher: string | undefined): Promise<Finding[]> {
  try {
    return diagnoseMpi(await koffiMpiVersionReader(), launcher);
  } catch (error) {
    const without = 'Without it there are no software drivers and no training on several processes.';
    return [
      missing('MPI', `koffi does not load: ${(error as Error).message}. ${without}`, ['npm install koffi']),
    ];
  }
}
