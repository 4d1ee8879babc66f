import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  cacheDirectory,
  makeStaging,
  namedDriver,
  vulkanChoice,
  whileFilling,
  type GpuReport,
} from '@tubelet/kernels/node';
import { addDriver, type UnpackedDriver } from './drivers.js';
import { installLlvmpipe, unpackLlvmpipe } from './llvmpipe.js';
import type { Probe, Probed } from './probe.js';
import { unpackSwiftShader } from './swiftshader.js';

const origins: Record<string, string> = {
  system: "the system's own driver",
  llvmpipe: 'the software driver unpacked into the cache folder',
  swiftshader: 'the software driver unpacked into the cache folder',
};

export interface SetupOptions {
  /** Unpacks the software driver anew. */
  readonly force: boolean;
  readonly probe: Probe;
  readonly say: (line: string) => void;
}

/**
 * Makes sure that WebGPU finds an adapter: a GPU's, else that of a software driver, which is fetched where there is
 * none. A second call only checks.
 *
 * @throws Error where there is no adapter and no software driver can be fetched
 */
export async function ensureAdapter({ force, probe, say }: SetupOptions): Promise<void> {
  const choice = vulkanChoice();
  const cache = cacheDirectory();
  const announce = (report: GpuReport, why?: string) => {
    const name = report.description || report.device || report.architecture;
    say(`GPU: ${name} — ${origins[report.driver]}${why ? `, since ${why}` : ''}`);
    if (report.software && existsSync('/dev/nvidia0')) {
      say('An NVIDIA GPU is here, but its Vulkan driver is not: `npx tubelet doctor` says what to do.');
    }
  };

  const unpackedWanted = choice === 'llvmpipe' || choice === 'swiftshader';
  if (!(force && unpackedWanted)) {
    const { report, reasons } = await probe();
    if (report && !(force && report.driver !== 'system')) return announce(report);
    if (!report) say(`No adapter yet: ${reasons.join('; ')}`);
  }
  if (choice === 'system' || process.platform !== 'linux') {
    throw new Error('WebGPU finds no adapter. `npx tubelet doctor` says what is missing.');
  }

  const named = namedDriver();
  if (choice === 'auto' && named && !named.startsWith(cache)) {
    throw new Error(
      `the environment names ${named} as the driver (VK_DRIVER_FILES or VK_ICD_FILENAMES), and no other is used beside ` +
        'it. Unset the variable, or set TUBELET_VULKAN=llvmpipe, and run `npx tubelet setup` again.',
    );
  }

  // Only the driver in the staging folder is recorded there.
  const verify = (stagedCache: string, name: string) =>
    probe({ env: { TUBELET_CACHE_DIR: stagedCache, TUBELET_VULKAN: name, VK_DRIVER_FILES: undefined } });
  const tell = (megabytes: number) => say(`  ${megabytes} MB fetched and unpacked so far`);
  const unpacked = (unpack: (staging: string) => Promise<UnpackedDriver>) =>
    addDriver(cache, (staging) => whileFilling(staging, tell, () => unpack(staging)), verify);
  const steps: { readonly name: string; readonly what: string; run(): Promise<Probed> }[] = [
    {
      name: 'llvmpipe',
      what: 'fetching llvmpipe with apt into the cache folder',
      run: () => unpacked(unpackLlvmpipe),
    },
    {
      name: 'llvmpipe through apt',
      what: 'installing llvmpipe through apt',
      run: () => installThroughApt(cache, probe),
    },
    {
      name: 'swiftshader',
      what: 'fetching SwiftShader in its npm package of 68 MB into the cache folder',
      run: () => unpacked(unpackSwiftShader),
    },
  ];

  const refused: string[] = [];
  for (const { name, what, run } of steps.filter((step) => choice === 'auto' || step.name === choice)) {
    say(`${what} (${cache}) …`);
    try {
      const { report, reasons } = await run();
      if (report) {
        if (choice !== 'auto') return announce(report, `TUBELET_VULKAN=${choice} asks for it`);
        const found = refused.length > 0 ? refused.join('; ') : 'the system offers none that Dawn accepts';
        // A GPU whose driver lacked nothing but the Vulkan loader works with the unpacked one.
        const best = (await probe()).report ?? report;
        return announce(best, best.driver === 'system' ? '' : found);
      }
      refused.push(`${name}: ${reasons.join('; ')}`);
    } catch (error) {
      refused.push(`${name}: ${(error as Error).message}`);
    }
    say(`  not usable. ${refused.at(-1)}`);
  }
  throw new Error(
    `WebGPU finds no adapter, and no software driver could be set up:\n  ${refused.join('\n  ')}\n` +
      '`npx tubelet doctor` says what is missing.',
  );
}

async function installThroughApt(cache: string, probe: Probe): Promise<Probed> {
  const staging = makeStaging(join(cache, 'vulkan', 'apt'));
  try {
    await installLlvmpipe(staging);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  return probe({ env: { TUBELET_VULKAN: 'system' } });
}
