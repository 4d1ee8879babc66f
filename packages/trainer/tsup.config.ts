import { defineConfig } from 'tsup';
import { shared } from '../../tsup.shared.js';

export default defineConfig(
  shared({ index: 'src/index.ts', formats: 'src/formats/index.ts' }, { platform: 'node' }),
);
