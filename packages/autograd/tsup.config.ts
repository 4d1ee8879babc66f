import { defineConfig } from 'tsup';
import { shared } from '../../tsup.shared.js';

export default defineConfig(
  shared({
    index: 'src/index.ts',
    formats: 'src/formats/index.ts',
    layers: 'src/layers/index.ts',
    node: 'src/node/index.ts',
    lab: 'src/lab/index.ts',
  }),
);
