import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { scaledError } from '@tubelet/kernels/lab';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
// Test code of a neighbour, which is no part of what its package offers.
import { publishedArchive } from '../../../packages/mae-dfer/src/import/testing/published-archive.js';
import { tinyCheckpoints } from './testing/checkpoints.js';
import { faintParts } from './testing/contrast.js';
import { resultsInNode, type Results } from './testing/results.js';

const configFile = fileURLToPath(new URL('../vite.config.ts', import.meta.url));
/** A page that does nothing for so long hangs. */
const HANGING_MS = 300_000;

let server: ViteDevServer;
let browser: Browser;
let inNode: Results;

beforeAll(async () => {
  server = await createServer({ configFile, server: { port: 0 }, logLevel: 'error' });
  await server.listen();
  const { args, ...options } = inject('launchOptions');
  // A webcam that shows a moving pattern, and that every page may use.
  const webcam = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
  browser = await chromium.launch({ ...options, args: [...args, ...webcam] });
  const runtime = await openNodeRuntime();
  inNode = await resultsInNode(runtime, Object.values(tinyCheckpoints));
  closeNodeRuntime(runtime);
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

async function openPage(prepare: (page: Page) => Promise<unknown> = async () => {}): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(HANGING_MS);
  await prepare(page);
  await page.goto(server.resolvedUrls!.local[0]!);
  return page;
}

const fileOf = (name: 'pretraining' | 'classifier') => ({
  name: `${name}.safetensors`,
  mimeType: 'application/octet-stream',
  buffer: Buffer.from(tinyCheckpoints[name]),
});

it('computes in a page what it computes in Node', async () => {
  const page = await openPage();
  const base64 = Object.values(tinyCheckpoints).map((bytes) => Buffer.from(bytes).toString('base64'));
  // As text, which nothing rewrites for Node.
  const inPage = await page.evaluate<Results>(
    `import('/src/testing/results.ts').then((module) => module.resultsInPage(${JSON.stringify(base64)}))`,
  );
  expect(inPage.pixels).toEqual(inNode.pixels);
  for (const [name, values] of Object.entries(inNode)) {
    expect(scaledError(inPage[name as keyof Results], values), name).toBeLessThan(1e-5);
  }
  await page.close();
});

it('shows what models make of the webcam, and follows the keyboard', async () => {
  const page = await openPage();
  await page.getByLabel('Choose checkpoints').setInputFiles([fileOf('pretraining'), fileOf('classifier')]);
  await expect
    .poll(() => page.getByRole('list', { name: 'Loaded models' }).innerText())
    .toContain('3 classes');
  await page.getByRole('button', { name: 'Use the webcam' }).press('Enter');
  await page.locator('#errors').getByText('87.5 % of cubes are masked').waitFor();
  await page.getByText(/Most likely: (calm|glad|sad), \d+ %/).waitFor();

  const ratio = page.getByRole('slider', { name: 'Masked cubes asked for' });
  for (let i = 0; i < 8; i++) await ratio.press('ArrowLeft');
  await page.locator('#errors').getByText('50.0 % of cubes are masked').waitFor();
  await page.getByRole('combobox', { name: 'Region' }).selectOption('Region 2');
  await page.getByRole('button', { name: 'Measure one pass' }).press('Enter');
  await page.locator('#kernels tr').first().waitFor();
  expect(await page.locator('#kernels').innerText()).toContain('attention');
  // All pictures have frames on them.
  for (const name of ['original', 'masked', 'reconstructed', 'heat']) {
    const colours = await page.locator(`#${name}`).evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size;
    });
    expect(colours, name).toBeGreaterThan(10);
  }
  expect(await page.getByRole('alert').isHidden()).toBe(true);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await page.evaluate(faintParts), colorScheme).toEqual([]);
  }
  await page.addStyleTag({ content: '.hint { color: #707070; }' });
  expect((await page.evaluate(faintParts)).length).toBeGreaterThan(2);
  await page.close();
});

it('plays a video that is chosen, and says what is wrong with other files', async () => {
  const page = await openPage();
  const recorded = await page.evaluate(async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 80, height: 64 });
    const context = canvas.getContext('2d')!;
    const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: 'video/webm' });
    const done = new Promise<Blob>((resolve) =>
      recorder.addEventListener('dataavailable', ({ data }) => resolve(data)),
    );
    recorder.start();
    for (let i = 0; i < 40; i++) {
      context.fillStyle = `hsl(${9 * i} 80% 50%)`;
      context.fillRect(i, i, 30, 30);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    recorder.stop();
    return [...new Uint8Array(await (await done).arrayBuffer())];
  });
  await page.getByLabel('Choose checkpoints').setInputFiles([fileOf('pretraining')]);
  const video = { name: 'recorded.webm', mimeType: 'video/webm', buffer: Buffer.from(recorded) };
  await page.getByLabel('Choose a video').setInputFiles(video);
  await page.locator('#errors').getByText('87.5 % of cubes are masked').waitFor();

  const alert = page.getByRole('alert');
  await page.getByLabel('Choose a video').setInputFiles({ ...video, buffer: Buffer.from('nothing') });
  await expect.poll(() => alert.innerText()).toContain('recorded.webm cannot be played by this browser');
  const damaged = { ...fileOf('classifier'), buffer: fileOf('classifier').buffer.subarray(0, 500) };
  await page.getByLabel('Choose checkpoints').setInputFiles([damaged]);
  await expect.poll(() => alert.innerText()).toContain('classifier.safetensors cannot be read');
  expect(await page.evaluate(faintParts)).toEqual([]);

  const published = { ...damaged, name: 'checkpoint-49.pth', buffer: Buffer.from(publishedArchive()) };
  await page.getByLabel('Choose checkpoints').setInputFiles([published]);
  await expect
    .poll(() => page.getByRole('list', { name: 'Loaded models' }).innerText())
    .toContain('LGI-Former, 2 blocks of width 64, 16 frames of 160×160');
  await page.close();
});

it('says so where there is no WebGPU', async () => {
  const page = await openPage((page) =>
    page.addInitScript(() => void delete (Navigator.prototype as { gpu?: GPU }).gpu),
  );
  await page.getByRole('alert').getByText('This browser has no WebGPU').waitFor();
  expect(await page.getByRole('main').count()).toBe(0);
  await page.close();
});
