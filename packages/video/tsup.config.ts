import { defineConfig } from 'tsup';
import { shared } from '../../tsup.shared.js';

// `worker.js`, `decoder-process.js` and `face-detector.js` are the scripts of threads and processes; esbuild is wanted
// only where the sources run unbuilt.
export default defineConfig(
  shared(
    {
      index: 'src/index.ts',
      pixels: 'src/pixels/index.ts',
      worker: 'src/loader/worker.ts',
      'decoder-process': 'src/webcodecs/process.ts',
      'face-detector': 'src/faces/detector-thread.ts',
    },
    { platform: 'node', external: [/^node:/, 'esbuild', '@napi-rs/webcodecs'] },
  ),
);
