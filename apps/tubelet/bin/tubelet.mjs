#!/usr/bin/env node
// A published package is built. In a clone the first use builds it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = new URL('../dist/cli.js', import.meta.url);
if (!existsSync(program)) {
  console.error('[tubelet] building the command and its packages, once; `npm run build` after later changes');
  const script = fileURLToPath(new URL('../../../scripts/build.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [script, 'tubelet'], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
await import(program.href);
