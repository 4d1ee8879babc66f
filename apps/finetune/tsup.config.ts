import { defineConfig } from 'tsup';
import { shared } from '../../tsup.shared';

export default defineConfig(shared({ cli: 'src/cli.ts' }, { dts: false, platform: 'node' }));
