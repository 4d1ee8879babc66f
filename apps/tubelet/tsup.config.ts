import { cp } from 'node:fs/promises';
import { defineConfig } from 'tsup';
import { shared } from '../../tsup.shared.js';

// The programs are development dependencies, which are bundled: what is published is this package and those below it.
// `probe-child.js` is the script of a process, `worker.js` that of the threads that draw faces.
export default defineConfig(
  shared(
    { cli: 'src/cli.ts', 'probe-child': 'src/setup/probe-child.ts', worker: '../faces/src/worker.ts' },
    // prettier is for the pages of this repository.
    {
      dts: false,
      platform: 'node',
      onSuccess: () => cp('../../recipes', 'dist/recipes', { recursive: true }),
      external: [/^node:/, 'koffi', 'prettier'],
    },
  ),
);
