import { defineConfig } from 'tsup';
import { shared } from '../tsup.shared.js';

const names = ['gpt', 'lgi-features'];

export default defineConfig(
  shared(Object.fromEntries(names.map((name) => [name, `src/${name}.ts`])), { dts: false, platform: 'node' }),
);
