import { defineConfig } from 'tsup';
import { shared } from '../../tsup.shared';

// `worker.js` and `decoder-process.js` are the scripts of the decoding threads and processes; esbuild is wanted only
// where the sources run unbuilt.
export default defineConfig(
  shared(
    {
      index: 'src/index.ts',
      worker: 'src/worker.ts',
      'decoder-process': 'src/webcodecs/process.ts',
    },
    { platform: 'node', external: [/^node:/, 'esbuild', '@napi-rs/webcodecs'] },
  ),
);
