import { probeWith } from './setup.mjs';
import { bundleSource } from './source.mjs';

/** Opens the GPU in a child process and says what it is, or why there is none. */
export const probe = probeWith(await bundleSource('apps/tubelet/src/setup/probe-child.ts'));
