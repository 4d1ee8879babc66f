#!/usr/bin/env node
// A published package is built. In a clone the first use builds it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = new URL('../dist/cli.js', import.meta.url);
if (!existsSync(program)) {
  console.error('[tubelet] building the command and its packages, once; `npm run build` after later changes');
  const scripts = new URL('../../../scripts/', import.meta.url);
  const words = [
    '--import',
    new URL('typescript.mjs', scripts).href,
    fileURLToPath(new URL('build.ts', scripts)),
  ];
  // Whoever says that all is built is wrong.
  const env = { ...process.env, TUBELET_BUILT: '' };
  const { status } = spawnSync(process.execPath, [...words, 'tubelet'], { stdio: 'inherit', env });
  if (status !== 0) process.exit(status ?? 1);
}
await import(program.href);
