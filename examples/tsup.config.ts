import { defineConfig } from 'tsup';
import { shared } from '../tsup.shared';

const names = ['gpt', 'lgi-features', 'own-kernel'];

export default defineConfig(
  shared(Object.fromEntries(names.map((name) => [name, `src/${name}.ts`])), { dts: false, platform: 'node' }),
);
