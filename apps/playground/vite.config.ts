import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Connect, type Plugin } from 'vite';
import { wgsl } from '../../vitest.shared.ts';

const runs = fileURLToPath(new URL('../../runs', import.meta.url));

/** Where `npm run demo` and `npm run demo:finetune` leave their checkpoints. */
const folders = {
  '/demo/pretraining.safetensors': join(runs, 'demo', 'checkpoints'),
  '/demo/classifier.safetensors': join(runs, 'demo-finetune', 'finetuned', 'checkpoints'),
};

/** The best checkpoint of a folder, else the newest. */
function checkpointOf(folder: string): string | undefined {
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  const name = names.includes('best.safetensors')
    ? 'best.safetensors'
    : names.filter((one) => /^step-\d+\.safetensors$/.test(one)).at(-1);
  return name && join(folder, name);
}

const sendCheckpoint: Connect.NextHandleFunction = ({ url }, response, next) => {
  const folder = folders[url as keyof typeof folders];
  if (folder === undefined) return next();
  const path = checkpointOf(folder);
  if (path) return void createReadStream(path).pipe(response);
  response.statusCode = 404;
  response.end();
};

/** Serves the demos' checkpoints to the page, where there are any. */
const demoCheckpoints: Plugin = {
  name: 'demo checkpoints',
  configureServer: ({ middlewares }) => void middlewares.use(sendCheckpoint),
  configurePreviewServer: ({ middlewares }) => void middlewares.use(sendCheckpoint),
};

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  plugins: [wgsl, demoCheckpoints],
  resolve: { conditions: ['@tubelet/source', 'browser', 'import', 'module', 'default'] },
  optimizeDeps: { noDiscovery: true },
  build: { target: 'es2022' },
});
