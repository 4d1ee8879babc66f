import { readFileSync } from 'node:fs';
import type { ViteUserConfig } from 'vitest/config';

/** Loads `.wgsl` files as text, as the build does. */
export const wgsl = {
  name: 'wgsl',
  enforce: 'pre' as const,
  load(id: string) {
    const file = id.split('?')[0] ?? id;
    if (!file.endsWith('.wgsl')) return null;
    return `export default ${JSON.stringify(readFileSync(file, 'utf8'))};`;
  },
};

/**
 * After so many milliseconds a test is taken to hang. Nothing is learnt from how fast a test is: a slow machine that
 * compiles every kernel anew needs minutes for some.
 */
export const hanging = 1_200_000;

/**
 * Settings of all tests. Sources are tested without a build (the `@tubelet/source` export condition). The files of a
 * worker share its process and its modules, which would take longer to load anew than most files do to run: a test
 * leaves no environment variable, replaced function or open GPU behind.
 */
export const sharedTest: ViteUserConfig = {
  plugins: [wgsl],
  resolve: { conditions: ['@tubelet/source', 'node', 'import', 'module', 'default'] },
  ssr: {
    resolve: { conditions: ['@tubelet/source', 'node', 'import', 'module', 'default'] },
    noExternal: [/^@tubelet\//],
  },
  test: {
    pool: 'forks',
    isolate: false,
    fileParallelism: false,
    testTimeout: hanging,
    hookTimeout: hanging,
  },
};
