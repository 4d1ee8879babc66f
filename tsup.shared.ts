import type { Options } from 'tsup';

/** Build settings that every package shares: ES modules, declarations, `.wgsl` files inlined as text. */
export function shared(entry: Record<string, string>, options: Options = {}): Options {
  return {
    entry,
    format: ['esm'],
    target: 'es2022',
    platform: 'neutral',
    dts: true,
    clean: true,
    sourcemap: true,
    treeshake: false,
    loader: { '.wgsl': 'text' },
    // Optional packages are no dependencies that tsup leaves out by itself.
    external: [/^node:/, 'koffi'],
    ...options,
  };
}
