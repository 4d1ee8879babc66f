import { Engine, mul, relativeError, softCrossEntropy } from '@tubelet/autograd';
import { paperRuntime, type Precision } from '@tubelet/kernels';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Classifier } from './classifier.js';
import { lgiFormer, vitBase, type EncoderConfig } from './config.js';
import { PretrainingModel } from './pretraining-model.js';
import { uploadUnevenMask } from './uneven-mask.js';

const CLASSES = 3;
const BATCH = 2;
// Of the size that other tests train: a software driver has compiled its kernels in f32 already.
const size = { imageSize: 32, frames: 4, dim: 32, depth: 2, heads: 1 };
const models = {
  'LGI-Former': lgiFormer('tiny', { ...size, region: [1, 2, 2] }),
  ViT: vitBase(size),
};

const clipBytes = ({ frames, imageSize }: EncoderConfig, clips: number) =>
  Uint8Array.from({ length: clips * frames * imageSize ** 2 * 3 }, (_, i) => (i * 7919) % 251);

describe('blocks whose activations are of f16', () => {
  let engine: Engine;
  beforeAll(async () => void (engine = new Engine(await openNodeRuntime())));
  afterAll(() => closeNodeRuntime(engine.runtime));
  const lacksHalf = () => !engine.runtime.hasFeature('shader-f16');

  /** Values of all gradients of a step by name, and its loss. */
  async function stepOf(encoder: EncoderConfig, precision: Precision, recompute = false) {
    const { runtime } = engine;
    runtime.precision = precision;
    const pooling = encoder.kind === 'vit' ? 'original' : 'representative';
    const model = new Classifier(engine, { encoder, classes: CLASSES, pooling });
    model.initialise(3);
    try {
      return await engine.step(async () => {
        const frames = runtime.upload(clipBytes(encoder, BATCH), [BATCH, size.frames, 32, 32, 3]);
        const targets = runtime.upload(Float32Array.of(1, 0, 0, 0, 0.5, 0.5), [BATCH, CLASSES]);
        const { logits } = model.forward({ frames }, { recompute });
        // As the loss scale begins: smaller gradients would be lost among the smallest f16.
        const loss = mul(softCrossEntropy(logits, targets), 65536);
        loss.backward();
        const gradients = new Map<string, Float32Array>();
        for (const [name, { gradient }] of model.store.parameters) {
          gradients.set(name, await runtime.read(gradient));
        }
        return { loss: await loss.item(), gradients };
      });
    } finally {
      runtime.precision = 'f32';
      model.store.release();
    }
  }

  it.for(Object.entries(models))(
    'give the gradients of f32 but for rounding: %s',
    async ([, encoder], { skip }) => {
      skip(lacksHalf(), 'this device has no f16');
      const [full, half] = [await stepOf(encoder, 'f32'), await stepOf(encoder, 'f16')];
      expect(half.loss / full.loss).toBeCloseTo(1, 3);
      expect(half.gradients).not.toEqual(full.gradients);
      for (const [name, gradient] of full.gradients) {
        // Small numbers have steps of 2⁻²⁴ in f16, whatever their size: tiny gradients err by some of them.
        const steps = 16 * 2 ** -24;
        const bound = 0.01 + steps / Math.max(Math.hypot(...gradient), steps);
        expect(relativeError(half.gradients.get(name)!, Float64Array.from(gradient)), name).toBeLessThan(
          bound,
        );
      }
    },
  );

  it('give the same bits where the backward pass runs a block again', async ({ skip }) => {
    skip(lacksHalf(), 'this device has no f16');
    const encoder = models['LGI-Former'];
    expect(await stepOf(encoder, 'f16', true)).toEqual(await stepOf(encoder, 'f16'));
  });

  it('attend in regions of unequal size', async ({ skip }) => {
    skip(lacksHalf(), 'this device has no f16');
    const encoder = models['LGI-Former'];
    const { runtime } = engine;
    const decoder = { dim: size.dim, depth: 1, heads: 1 };
    const model = new PretrainingModel(engine, { encoder, decoder, decoderPositions: 'token' });
    model.initialise(3);
    const losses: number[] = [];
    for (const precision of ['f32', 'f16'] as const) {
      runtime.precision = precision;
      losses.push(
        await engine.step(async () => {
          const mask = uploadUnevenMask(runtime, encoder, Uint8Array.of(0, 0, 1, 1, 0, 1, 1, 1));
          const frames = runtime.upload(clipBytes(encoder, 1), [1, size.frames, 32, 32, 3]);
          const { loss } = model.forward({ frames }, mask);
          loss.backward();
          return loss.item();
        }),
      );
    }
    runtime.precision = 'f32';
    model.store.release();
    expect(losses[1]! / losses[0]!).toBeCloseTo(1, 3);
  });

  it('move and hold less, on paper', async () => {
    const stepOnPaper = async (precision: Precision) => {
      const runtime = paperRuntime({ adapter: { features: ['shader-f16'] }, precision });
      const paper = new Engine(runtime);
      const encoder = lgiFormer('base');
      const model = new Classifier(paper, { encoder, classes: 7, pooling: 'representative' });
      const before = runtime.pool.liveBytes;
      runtime.pool.resetPeak();
      await paper.step(() => {
        const frames = paper.empty([8, encoder.frames, encoder.imageSize, encoder.imageSize, 3], 'u8');
        softCrossEntropy(model.forward({ frames }).logits, paper.empty([8, 7])).backward();
      });
      const { bytesRead, bytesWritten } = runtime.ledger.total();
      return { moved: bytesRead + bytesWritten, held: runtime.pool.peakBytes - before };
    };
    const [full, half] = [await stepOnPaper('f32'), await stepOnPaper('f16')];
    expect(half.moved / full.moved).toBeLessThan(0.7);
    expect(half.held / full.held).toBeLessThan(0.7);
  });
});
