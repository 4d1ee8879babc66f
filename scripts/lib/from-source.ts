import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './root.mjs';

/** Words for Node in front of a file of TypeScript: it and our packages are run from their sources. */
export const fromSource = ['--import', pathToFileURL(join(root, 'scripts', 'typescript.mjs')).href];
