import { defineConfig } from 'tsup';
import { shared } from '../../tsup.shared.js';

export default defineConfig(shared({ cli: 'src/cli.ts' }, { dts: false, platform: 'node' }));
