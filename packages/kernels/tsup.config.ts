import { defineConfig } from 'tsup';
import { shared } from '../../tsup.shared.js';

export default defineConfig(
  shared(
    {
      index: 'src/index.ts',
      node: 'src/node/index.ts',
      lab: 'src/lab/index.ts',
      tuning: 'src/tuning/index.ts',
    },
    // Declarations speak of GPUDevice and the like, which TypeScript has among the types of browsers.
    { dts: { banner: '/// <reference lib="dom" />' } },
  ),
);
