import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine, loadStateDict, readStateDict } from '@tubelet/autograd';
import type { SafetensorsTensor } from '@tubelet/autograd/formats';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { Classifier, vitBase, type ClassifierConfig } from '@tubelet/mae-dfer';
import { UserError } from '@tubelet/trainer';
import { saveCheckpoint } from '@tubelet/trainer/formats';
import { InferenceSession, Tensor } from 'onnxruntime-web';
import { describeClassifier, type ClassifierDescription } from '../../classifier/classifier-file.js';
import { exportWeights } from '../export-weights.js';
import { TINY_ENCODER, tinyDescription } from '../../testing/tiny-classifier.js';
import { classifierGraph } from './classifier-graph.js';

const folder = mkdtempSync(join(tmpdir(), 'tubelet-onnx-'));
let runtime: Awaited<ReturnType<typeof openNodeRuntime>>;
beforeAll(async () => {
  runtime = await openNodeRuntime();
});
afterAll(() => {
  closeNodeRuntime(runtime);
  rmSync(folder, { recursive: true, force: true });
});

const CLIPS = 20;
const encoder = { ...TINY_ENCODER, region: [1, 1, 2] as const };
const vit = vitBase({ imageSize: 32, frames: 4, dim: 32, depth: 2, heads: 2 });
const models: [string, ClassifierConfig][] = [
  ['representatives', { encoder, classes: 3, pooling: 'representative' }],
  ['original tokens', { encoder, classes: 3, pooling: 'original' }],
  ['all tokens', { encoder, classes: 3, pooling: 'all' }],
  [
    'local attention alone',
    { encoder: { ...encoder, interRegion: false, localGlobal: false }, classes: 3, pooling: 'all' },
  ],
  [
    'without attention to representatives',
    { encoder: { ...encoder, localGlobal: false }, classes: 3, pooling: 'representative' },
  ],
  [
    'without attention among representatives',
    { encoder: { ...encoder, interRegion: false }, classes: 3, pooling: 'original' },
  ],
  ['a ViT', { encoder: vit, classes: 3, pooling: 'original' }],
];

/** Frames [20, 4, 32, 32, 3] whose bytes differ from clip to clip. */
function someFrames(): Uint8Array {
  const frames = new Uint8Array(CLIPS * 4 * 32 * 32 * 3);
  let state = 1;
  for (let i = 0; i < frames.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    frames[i] = state >>> 24;
  }
  return frames;
}

/** The same as float32 [20, 3, 4, 32, 32] from 0 to 1. */
function asVideo(frames: Uint8Array): Float32Array {
  const video = new Float32Array(frames.length);
  const pixels = 4 * 32 * 32;
  for (let clip = 0; clip < CLIPS; clip++) {
    for (let pixel = 0; pixel < pixels; pixel++) {
      for (let c = 0; c < 3; c++) {
        video[(clip * 3 + c) * pixels + pixel] = frames[(clip * pixels + pixel) * 3 + c]! / 255;
      }
    }
  }
  return video;
}

/**
 * What onnxruntime makes of the file at `path`, in its WebAssembly build: onnxruntime-node brings the binaries of all
 * platforms, 301 MB unpacked, which is twice as much.
 */
async function ran(path: string, video: Float32Array) {
  const session = await InferenceSession.create(path, { logSeverityLevel: 3 });
  const { logits, feature } = await session.run({
    video: new Tensor('float32', video, [CLIPS, 3, 4, 32, 32]),
  });
  await session.release();
  return { logits: logits!.data as Float32Array, feature: feature!.data as Float32Array };
}

const largestDifference = (a: Float32Array, b: Float32Array) => {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
};

describe('an exported ONNX model', () => {
  it.each(models)('gives the logits and features of the classifier: %s', async (name, model) => {
    const description: ClassifierDescription = { ...tinyDescription(), model };
    const engine = new Engine(runtime);
    const classifier = new Classifier(engine, model, { headScale: 50 });
    classifier.initialise(0);
    const tensors = await readStateDict(classifier.store);
    // Published biases are not zero, as first values are.
    for (const [tensorName, { data }] of tensors) {
      if (tensorName.endsWith('bias')) (data as Float32Array).forEach((_, i) => (data[i] = Math.sin(i) / 10));
    }
    const checkpoint = join(folder, `${name}.safetensors`);
    await saveCheckpoint(checkpoint, { tensors, metadata: describeClassifier(description) });
    const out = join(folder, `${name}.onnx`);
    const text = await exportWeights({ checkpoint, out });
    expect(text).toContain('opset 20');
    expect(text).toContain('classes: glad, calm, sad');

    loadStateDict(classifier.store, tensors);
    const bytes = someFrames();
    const frames = runtime.upload(bytes, [CLIPS, 4, 32, 32, 3], 'u8', 'frames');
    const [logits, feature] = await engine.step(() =>
      engine.noGrad(() => {
        const answer = classifier.forward({ frames });
        return Promise.all([runtime.read(answer.logits.array), runtime.read(answer.feature.array)]);
      }),
    );
    const theirs = await ran(out, asVideo(bytes));
    expect(new Set(logits as Float32Array).size).toBeGreaterThan(CLIPS);
    expect(largestDifference(theirs.logits, logits as Float32Array)).toBeLessThan(1e-4);
    expect(largestDifference(theirs.feature, feature as Float32Array)).toBeLessThan(1e-4);
    classifier.release();
    runtime.release(frames);
  });

  it('is refused for what is not a classifier, and for weights that do not fit', async () => {
    const some = { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) } as const;
    const checkpoint = join(folder, 'others.safetensors');
    await saveCheckpoint(checkpoint, { tensors: new Map([['w', some]]), metadata: {} });
    const exporting = exportWeights({ checkpoint, out: join(folder, 'others.onnx') });
    await expect(exporting).rejects.toThrow(UserError);
    await expect(exporting).rejects.toThrow(/is not a classifier .*--from/);
    const none = new Map<string, SafetensorsTensor>();
    expect(() => classifierGraph(tinyDescription(), none)).toThrow(/no weight patch_embed\.proj\.weight/);
    const other = new Map([['patch_embed.proj.weight', some]]);
    expect(() => classifierGraph(tinyDescription(), other)).toThrow(
      /patch_embed\.proj\.weight is \[2\]; this model has \[32, 3, 2, 16, 16\]/,
    );
  });
});
