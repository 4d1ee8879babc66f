// @ts-check
// Lets a Node process run TypeScript, and this repository's packages from their sources:
//
//   node --import ./scripts/typescript.mjs scripts/NAME.ts
import { register } from 'node:module';

try {
  const tsx = await import('tsx/esm/api');
  tsx.register();
  register('./lib/source-hooks.mjs', import.meta.url);
} catch (error) {
  if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) throw error;
  console.error('The packages are not installed yet. Run: node scripts/setup.mjs');
  process.exit(1);
}
