import { join } from 'node:path';
import { probeWith } from '../../apps/tubelet/src/setup/index.js';
import { fromSource } from './from-source.js';
import { root } from './root.mjs';

/** Opens the GPU in a child process and says what it is, or why there is none. */
export const probe = probeWith(...fromSource, join(root, 'apps/tubelet/src/setup/probe-child.ts'));
