import { defineConfig } from 'tsup';
import { shared } from '../../tsup.shared';

// `worker.js` is the script of the drawing threads.
export default defineConfig(
  shared({ cli: 'src/cli.ts', worker: 'src/worker.ts' }, { dts: false, platform: 'node' }),
);
