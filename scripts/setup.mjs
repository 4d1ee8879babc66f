// Makes a clone ready to run: installs the locked packages and makes sure that WebGPU finds an
// adapter. Safe to run again at any time; a second run only checks.
//
//   node scripts/setup.mjs [--force]     --force unpacks the software driver anew
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { addDriver } from './lib/drivers.mjs';
import { installLlvmpipe, unpackLlvmpipe } from './lib/llvmpipe.mjs';
import { installPackages } from './lib/packages.mjs';
import { probe } from './lib/probe.mjs';
import { importSource } from './lib/source.mjs';
import { unpackSwiftShader } from './lib/swiftshader.mjs';

const say = (line) => console.log(`[setup] ${line}`);

const origins = {
  system: "the system's own driver",
  llvmpipe: 'the software driver unpacked into the cache folder',
  swiftshader: 'the software driver unpacked into the cache folder',
};

function announce(report, why) {
  const name = report.description || report.device || report.architecture;
  say(`GPU: ${name} — ${origins[report.driver]}${why ? `, since ${why}` : ''}`);
  if (report.software && existsSync('/dev/nvidia0')) {
    say('An NVIDIA GPU is here, but its Vulkan driver is not: `npm run doctor` says what to do.');
  }
}

/** Verifies a driver in its staging folder: only that one is recorded there. */
const verify = (stagedCache, name) =>
  probe({ TUBELET_CACHE_DIR: stagedCache, TUBELET_VULKAN: name, VK_DRIVER_FILES: undefined });

async function installThroughApt(cache) {
  const staging = join(cache, 'vulkan', `.apt-${process.pid}`);
  mkdirSync(staging, { recursive: true });
  try {
    await installLlvmpipe(staging);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  return probe({ TUBELET_VULKAN: 'system' });
}

async function ensureAdapter(force) {
  const { cacheDirectory, vulkanChoice } = await importSource('packages/kernels/src/node/index.ts');
  const choice = vulkanChoice();
  const cache = cacheDirectory();
  const unpackedWanted = choice === 'llvmpipe' || choice === 'swiftshader';
  if (!(force && unpackedWanted)) {
    const { report, reasons } = await probe();
    if (report && !(force && report.driver !== 'system')) return announce(report);
    if (!report) say(`No adapter yet: ${reasons.join('; ')}`);
  }
  if (choice === 'system' || process.platform !== 'linux') {
    throw new Error('WebGPU finds no adapter. `npm run doctor` says what is missing.');
  }

  const steps = [
    {
      name: 'llvmpipe',
      what: 'unpacking llvmpipe into the cache folder',
      run: () => addDriver(cache, unpackLlvmpipe, verify),
    },
    {
      name: 'llvmpipe through apt',
      what: 'installing llvmpipe through apt',
      run: () => installThroughApt(cache),
    },
    {
      name: 'swiftshader',
      what: 'unpacking SwiftShader out of its npm package into the cache folder',
      run: () => addDriver(cache, unpackSwiftShader, verify),
    },
  ].filter(({ name }) => choice === 'auto' || name === choice);

  const refused = [];
  for (const { name, what, run } of steps) {
    say(`${what} (${cache}) …`);
    try {
      const { report, reasons } = await run();
      if (report) {
        const asked = `TUBELET_VULKAN=${choice} asks for it`;
        const found = refused.length > 0 ? refused.join('; ') : 'the system offers none that Dawn accepts';
        if (choice !== 'auto') return announce(report, asked);
        // A GPU whose driver lacked nothing but the Vulkan loader works with the unpacked one.
        const best = (await probe()).report ?? report;
        return announce(best, best.driver === 'system' ? '' : found);
      }
      refused.push(`${name}: ${reasons.join('; ')}`);
    } catch (error) {
      refused.push(`${name}: ${error.message}`);
    }
    say(`  not usable. ${refused.at(-1)}`);
  }
  throw new Error(
    `WebGPU finds no adapter, and no software driver could be set up:\n  ${refused.join('\n  ')}\n` +
      '`npm run doctor` says what is missing.',
  );
}

try {
  const unknown = process.argv.slice(2).filter((argument) => argument !== '--force');
  if (unknown.length > 0) throw new Error(`Unknown option ${unknown[0]}; the only one is --force.`);
  await installPackages(say);
  await ensureAdapter(process.argv.includes('--force'));
} catch (error) {
  console.error(`[setup] ${error.message}`);
  process.exitCode = 1;
}
