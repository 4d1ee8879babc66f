import { openRuntime, type Runtime } from '@tubelet/kernels';
import { regionCount, type ClipConfig } from '@tubelet/mae-dfer';
import { ClipWindow } from './clip-window.js';
import { readModelFile, type ModelFile } from './model-file.js';
import { ExpressionClassifier, Reconstructor } from './models.js';
import { drawAttention, drawStrip } from './pictures.js';
import { ProbabilityView } from './probabilities.js';

const find = <T extends Element = HTMLElement>(id: string) => document.getElementById(id) as unknown as T;
const video = find<HTMLVideoElement>('video');
const status = find('status');
const problem = find('problem');
const ratio = find<HTMLInputElement>('mask-ratio');
const region = find<HTMLSelectElement>('region');
const webcam = find<HTMLButtonElement>('webcam');

/** A model with the clip that it looks at next. */
interface Watching<Model> {
  readonly model: Model;
  readonly window: ClipWindow;
}

let reconstruction: Watching<Reconstructor> | undefined;
let classification: (Watching<ExpressionClassifier> & { readonly view: ProbabilityView }) | undefined;
let maskSeed = 0;
/** Whether there is something new to look at, and whether somebody looks until there is not. */
let [isStale, isLooking] = [false, false];
let lastWork: Promise<unknown> = Promise.resolve();

function report(error: unknown): void {
  problem.textContent = error instanceof Error ? error.message : String(error);
  problem.hidden = false;
}

/** Runs what a person asked for, and shows what goes wrong with it. */
function attempt(action: () => Promise<unknown>): void {
  problem.hidden = true;
  action().catch(report);
}

/** Shows what the models make of the latest clips. */
async function look(): Promise<void> {
  if (reconstruction) {
    const { model, window } = reconstruction;
    const clip = await window.clip();
    if (clip) {
      const { encoder } = model.file.config;
      const shown = await model.reconstruct(clip, Number(ratio.value), maskSeed);
      drawStrip(find('original'), clip, encoder);
      drawStrip(find('masked'), shown.masked, encoder);
      drawStrip(find('reconstructed'), shown.reconstructed, encoder);
      const { first, second } = shown.error;
      find('errors').textContent =
        `${(100 * shown.maskedShare).toFixed(1)} % of cubes are masked. Mean-square error of normalised values: ` +
        `${first.toFixed(3)} of ${partsOf(model)[0]}, ${second.toFixed(3)} of ${partsOf(model)[1]}.`;
    }
  }
  if (classification) {
    const { model, window, view } = classification;
    const clip = await window.clip();
    if (clip) {
      const { probabilities, attention } = await model.classify(clip);
      view.show(clip, probabilities);
      const { encoder } = model.file.config;
      if (attention && encoder.kind === 'lgi-former') {
        const chosen = region.value === '' ? undefined : Number(region.value);
        drawAttention(find('heat'), clip, attention, encoder, chosen);
      }
    }
  }
}

const partsOf = ({ file }: Reconstructor) =>
  file.config.target === 'pixels' ? ['first frames', 'second frames'] : ['appearance', 'motion'];

/** Runs what uses the GPU after all that was asked of it before. */
function exclusively<T>(work: () => Promise<T>): Promise<T> {
  const result = lastWork.then(work);
  lastWork = result.catch(() => undefined);
  return result;
}

async function lookAgain(): Promise<void> {
  if (isLooking) return;
  isLooking = true;
  try {
    while (isStale) {
      isStale = false;
      await exclusively(look);
      describe();
    }
  } finally {
    isLooking = false;
  }
}

function changed(): void {
  isStale = true;
  lookAgain().catch(report);
}

/** Says what is missing, or that it runs. */
function describe(): void {
  const windows = [reconstruction, classification].flatMap((one) => one ?? []);
  const [waiting] = windows.filter(({ window }) => !window.isFull);
  let text = 'Looking at the last frames of the video.';
  if (windows.length === 0) text = 'Choose a checkpoint of pre-training or of a classifier.';
  else if (!video.currentSrc && !video.srcObject) text = 'Choose a video, or use the webcam.';
  else if (waiting) text = 'Collecting frames for the first clip; the video must play.';
  // Live regions speak when they change.
  if (status.textContent !== text) status.textContent = text;
}

async function take(seconds: number): Promise<void> {
  const windows = [reconstruction, classification].flatMap((one) => one?.window ?? []);
  const isTaken = await Promise.all(windows.map((window) => window.offer(video, seconds)));
  if (isTaken.includes(true)) changed();
}

function watch(): void {
  video.requestVideoFrameCallback((_, { mediaTime }) => {
    take(mediaTime).catch(report).finally(watch);
  });
}

async function playFile(file: File): Promise<void> {
  stopWebcam();
  if (video.src) URL.revokeObjectURL(video.src);
  video.src = URL.createObjectURL(file);
  await video.play().catch(() => {
    throw new Error(`${file.name} cannot be played by this browser: give an MP4 (H.264) or WebM file.`);
  });
  describe();
}

async function toggleWebcam(): Promise<void> {
  if (video.srcObject) return stopWebcam();
  // While somebody is asked for permission, a second click would open a second stream, which nobody stops.
  webcam.disabled = true;
  const stream = await navigator.mediaDevices?.getUserMedia({ video: { width: 640 } }).catch(() => undefined);
  webcam.disabled = false;
  if (!stream) throw new Error('The webcam cannot be used: there is none, or this page may not use it.');
  video.srcObject = stream;
  webcam.setAttribute('aria-pressed', 'true');
  await video.play();
  describe();
}

function stopWebcam(): void {
  if (video.srcObject instanceof MediaStream) for (const track of video.srcObject.getTracks()) track.stop();
  video.srcObject = null;
  webcam.setAttribute('aria-pressed', 'false');
  describe();
}

const windowFor = (runtime: Runtime, { frames, imageSize }: ClipConfig, { frameStep }: ModelFile) =>
  new ClipWindow(runtime, frames, imageSize, frameStep);

async function loadModel(runtime: Runtime, name: string, bytes: Uint8Array): Promise<void> {
  const file = readModelFile(name, bytes);
  await exclusively(async () => {
    const window = windowFor(runtime, file.config.encoder, file);
    if (file.kind === 'pretraining') {
      const model = new Reconstructor(runtime, file);
      reconstruction?.model.release();
      reconstruction = { model, window };
    } else {
      const model = new ExpressionClassifier(runtime, file);
      classification?.model.release();
      const view = new ProbabilityView(find('bars'), find('chart'), find('spoken'), file.classNames);
      classification = { model, window, view };
      listRegions(model.showsAttention ? regionCount(model.file.config.encoder) : 0);
    }
  });
  for (const [id, model] of [
    ['reconstruction', reconstruction],
    ['expression', classification],
  ] as const)
    find(id).hidden = !model;
  find('profile').hidden = !runtime.hasFeature('timestamp-query');
  listModels();
  describe();
}

function listRegions(count: number): void {
  find('attention').hidden = count === 0;
  const options = Array.from({ length: count }, (_, i) => new Option(`Region ${i + 1}`, String(i)));
  region.replaceChildren(new Option('All', ''), ...options);
}

function listModels(): void {
  const items = [reconstruction?.model.file, classification?.model.file].flatMap((file) => {
    if (!file) return [];
    const { kind, frames, imageSize, dim, depth } = file.config.encoder;
    const what =
      file.kind === 'pretraining' ? 'Masked autoencoder' : `Classifier of ${file.config.classes} classes`;
    const item = document.createElement('li');
    item.textContent =
      `${what}: ${kind === 'vit' ? 'ViT' : 'LGI-Former'}, ${depth} blocks of width ${dim}, ` +
      `${frames} frames of ${imageSize}×${imageSize}`;
    return [item];
  });
  find('models').replaceChildren(...items);
}

async function takeFiles(runtime: Runtime, files: Iterable<File>): Promise<void> {
  for (const file of files) {
    if (/\.(safetensors|pth)$/i.test(file.name)) {
      await loadModel(runtime, file.name, new Uint8Array(await file.arrayBuffer()));
    } else await playFile(file);
  }
}

async function loadDemo(runtime: Runtime): Promise<void> {
  let found = 0;
  for (const name of ['pretraining', 'classifier']) {
    const response = await fetch(`demo/${name}.safetensors`);
    // A server that has no such file may answer with this page.
    if (!response.ok || response.headers.get('content-type')?.includes('html')) continue;
    await loadModel(runtime, name, new Uint8Array(await response.arrayBuffer()));
    found++;
  }
  if (found > 0) return;
  throw new Error(
    'There are no checkpoints of the demos yet: run `npm run demo` or `npm run demo:finetune` first.',
  );
}

async function measure(runtime: Runtime): Promise<void> {
  const entries = await exclusively(async () => {
    runtime.startProfiling();
    await look().catch(async (error: unknown) => {
      await runtime.stopProfiling();
      throw error;
    });
    return runtime.stopProfiling();
  });
  if (entries.length === 0) throw new Error('There is nothing to measure yet: play a video first.');
  const rows = entries.map(({ kernel, calls, durationMs, gigaflopsPerSecond, gigabytesPerSecond }) => {
    const row = document.createElement('tr');
    // A kernel may take less time than the browser's clock can tell.
    const numbers = [durationMs, gigaflopsPerSecond, gigabytesPerSecond].map((value) =>
      durationMs > 0 ? value.toFixed(2) : '–',
    );
    for (const text of [kernel, String(calls), ...numbers]) row.insertCell().textContent = text;
    return row;
  });
  find('kernels').replaceChildren(...rows);
}

async function start(): Promise<void> {
  if (!('gpu' in navigator)) {
    throw new Error(
      'This browser has no WebGPU. Use a current Chrome, Edge, Safari or Firefox, and open the page over https or from localhost.',
    );
  }
  const runtime = await openRuntime(navigator.gpu);
  runtime.device.lost.then(() => report('The GPU was lost. Load the page again.'), report);
  document.querySelector('main')!.hidden = false;
  const onFiles = (id: string) =>
    find<HTMLInputElement>(id).addEventListener('change', ({ target }) =>
      attempt(() => takeFiles(runtime, (target as HTMLInputElement).files ?? [])),
    );
  onFiles('video-file');
  onFiles('model-files');
  addEventListener('dragover', (event) => event.preventDefault());
  addEventListener('drop', (event) => {
    event.preventDefault();
    attempt(() => takeFiles(runtime, event.dataTransfer?.files ?? []));
  });
  find('demo').addEventListener('click', () => attempt(() => loadDemo(runtime)));
  webcam.addEventListener('click', () => attempt(toggleWebcam));
  find('measure').addEventListener('click', () => attempt(() => measure(runtime)));
  region.addEventListener('change', changed);
  find('mask').addEventListener('click', () => {
    maskSeed++;
    changed();
  });
  // Another video takes the place of the one that was there.
  video.addEventListener('loadstart', () => {
    for (const one of [reconstruction, classification]) one?.window.clear();
  });
  ratio.addEventListener('input', () => {
    find('mask-share').textContent = `${Math.round(100 * Number(ratio.value))} %`;
    changed();
  });
  watch();
}

attempt(start);
