// `tubelet doctor` from its sources, for a clone that is not built.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib/root.mjs';

if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) {
  console.error('The packages are not installed yet. Run: node scripts/setup.mjs');
  process.exit(1);
}

const { probe } = await import('./lib/probe.mjs');
const { bundleSource, importSource } = await import('./lib/source.mjs');
const { doctor } = await importSource('apps/tubelet/src/doctor/doctor.ts');
try {
  const decoderScript = await bundleSource('packages/video/src/webcodecs/process.ts');
  process.exitCode = (await doctor({ probe, decoderScript })) ? 0 : 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
