// @ts-check
// Makes a clone ready to run: installs the locked packages and makes sure that WebGPU finds an
// adapter. Safe to run again at any time; a second run only checks.
//
//   node scripts/setup.mjs [--force]     --force unpacks the software driver anew
import { installPackages } from './lib/packages.mjs';

/** @param {string} line */
const say = (line) => console.log(`[setup] ${line}`);

try {
  const unknown = process.argv.slice(2).filter((argument) => argument !== '--force');
  if (unknown.length > 0) throw new Error(`Unknown option ${unknown[0]}; the only one is --force.`);
  // `.ci/run` has set up and built, once for all of its commands, of which two run at a time.
  if (process.env.TUBELET_BUILT === '1' && !process.argv.includes('--force')) process.exit();
  installPackages(say);
  // These need the packages.
  await import('./typescript.mjs');
  const { ensureAdapter } = await import('../apps/tubelet/src/setup/index.ts');
  const { probe } = await import('./lib/probe.ts');
  await ensureAdapter({ force: process.argv.includes('--force'), probe, say });
} catch (error) {
  console.error(`[setup] ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
