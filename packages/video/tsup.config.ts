import { defineConfig } from 'tsup';
import { shared } from '../../tsup.shared';

// `worker.js` is the script of the decoding threads; esbuild is wanted only where the sources run unbuilt.
export default defineConfig(
  shared(
    { index: 'src/index.ts', worker: 'src/worker.ts' },
    { platform: 'node', external: [/^node:/, 'esbuild'] },
  ),
);
