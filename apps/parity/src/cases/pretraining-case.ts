import type { Engine, Tensor } from '@tubelet/autograd';
import { maskFromBooleans } from '@tubelet/kernels';
import {
  PretrainingModel,
  regionOf,
  tokenGrid,
  uploadMask,
  type EncoderConfig,
  type PretrainingConfig,
} from '@tubelet/mae-dfer';
import {
  GoldenFolderError,
  numberField,
  objectField,
  optionalNumbers,
  triple,
  type GoldenFolder,
  type GoldenTensors,
  type Json,
} from '../golden-folder.js';
import { proceduralVideo } from '@tubelet/kernels/lab';
import type { Report } from '../report.js';
import {
  compareGradientNorms,
  compareGradients,
  compareParameters,
  goldenOptimiser,
  gradientNorm,
  loadWeights,
} from '../training-steps.js';
import { KeptTensors } from './kept-tensors.js';

/** The configuration that a manifest entry describes, with ablation overrides applied. */
export function pretrainingConfig(config: Json, where: string, overrides: Json = {}): PretrainingConfig {
  const number = (key: string) => numberField(config, key, where);
  const common = {
    frames: number('num_frames'),
    imageSize: number('img_size'),
    tubeletSize: number('tubelet_size'),
    patchSize: number('patch_size'),
    dim: number('encoder_embed_dim'),
    depth: number('encoder_depth'),
    heads: number('encoder_heads'),
  };
  const isVit = (overrides['attn'] ?? config['attn_type']) === 'joint';
  const encoder: EncoderConfig = isVit
    ? { kind: 'vit', ...common }
    : {
        kind: 'lgi-former',
        ...common,
        region:
          'region' in overrides ? triple(overrides, 'region', where) : triple(config, 'region_size', where),
        interRegion: !(overrides['lg_no_second'] ?? config['lg_no_second']),
        localGlobal: !(overrides['lg_no_third'] ?? config['lg_no_third']),
      };
  const decoder = {
    dim: number('decoder_embed_dim'),
    depth: number('decoder_depth'),
    heads: number('decoder_heads'),
  };
  return { encoder, decoder, decoderPositions: 'reference' };
}

/** One pre-training case: predictions, targets, loss, activations, gradients, parameters after steps. */
export async function pretrainingCase(
  engine: Engine,
  folder: GoldenFolder,
  name: string,
  testCase: Json,
  report: Report,
): Promise<void> {
  const config = pretrainingConfig(objectField(testCase, 'config', name), name);
  const model = new PretrainingModel(engine, config);
  const io = folder.tensors(`${name}.io`) ?? new Map<string, never>();
  const batch = numberField(testCase, 'batch', name);
  loadWeights(model.store, folder.tensors(`${name}.weights`));
  const video = clipVideo(io, `${name}.video`, batch, config.encoder);
  const masks = maskSteps(io, name, batch, config.encoder);

  const { optimiser, learningRates } = goldenOptimiser(model.store, testCase, name, report);
  const losses = optionalNumbers(testCase, 'loss');
  const norms = optionalNumbers(testCase, 'grad_norm');
  const weighted = testCase['weighted_loss_variants'] as Readonly<Record<string, Json>> | undefined;
  await compareWeighted(engine, model, { video, mask: masks[0]!, batch }, weighted, name, report);

  for (let step = 0; step < Math.min(masks.length, learningRates.length); step++) {
    await engine.step(async () => {
      const clips = { video: engine.runtime.upload(video, videoShape(batch, config.encoder)) };
      const activations = new Map<string, Tensor>();
      const kept = new KeptTensors(engine);
      const out = model.forward(clips, uploadMask(engine.runtime, config.encoder, masks[step]!), {
        observe: (key, tensor) => activations.set(key, kept.keep(tensor)),
      });
      kept.keep(out.prediction);
      const target = await engine.runtime.read(out.target);
      out.loss.backward();
      const label = `step ${step}`;
      if (losses)
        report.compareScalar(name, `loss, ${label}`, 'forward', await out.loss.item(), losses[step]!);
      if (norms) {
        report.compareScalar(
          name,
          `gradient norm, ${label}`,
          'gradient',
          await gradientNorm(optimiser),
          norms[step]!,
        );
      }
      if (step === 0) {
        await comparePredictions(out.prediction, target, io, name, report);
        const { visible } = maskFromBooleans(masks[0]!, tokenGrid(config.encoder), regionOf(config.encoder));
        await compareActivations(activations, folder.tensors(`${name}.act`), visible, name, report);
        const gradients = folder.tensors(`${name}.grads`);
        if (gradients) await compareGradients(report, name, 'gradient', model.store, gradients);
        if ('grads_l2_sum' in testCase) {
          await compareGradientNorms(report, name, model.store, objectField(testCase, 'grads_l2_sum', name));
        }
      }
      optimiser.step({ learningRate: learningRates[step]! });
      kept.release();
    });
    await compareParameters(report, folder, name, model.store, learningRates.slice(0, step + 1));
  }
  optimiser.release();
  model.release();
  await compareCorrectedOrder(engine, folder, config, { io, video, mask: masks[0]!, batch, name }, report);
}

/** The stored video, or the procedural one of the given name. */
export function clipVideo(
  io: GoldenTensors,
  name: string,
  batch: number,
  config: EncoderConfig,
): Float32Array {
  return io.get('video')?.data ?? proceduralVideo(name, videoShape(batch, config));
}

export function videoShape(batch: number, { frames, imageSize }: EncoderConfig) {
  return [batch, 3, frames, imageSize, imageSize] as [number, number, number, number, number];
}

function maskSteps(io: GoldenTensors, name: string, batch: number, config: EncoderConfig): Uint8Array[] {
  const mask = io.get('mask');
  if (!mask) throw new GoldenFolderError(`${name}.io.safetensors has no "mask"`);
  const perStep = batch * tokenGrid(config).reduce((product, extent) => product * extent, 1);
  return Array.from({ length: mask.data.length / perStep }, (_, step) =>
    Uint8Array.from(mask.data.subarray(step * perStep, (step + 1) * perStep)),
  );
}

async function comparePredictions(
  prediction: Tensor,
  target: Float32Array,
  io: GoldenTensors,
  name: string,
  report: Report,
): Promise<void> {
  const expected = io.get('pred');
  const values = await prediction.read();
  if (expected) report.compare(name, 'prediction', 'forward', values, expected.data);
  const first = firstTokens(io, 'pred_first');
  if (first)
    report.compare(
      name,
      first.key,
      'forward',
      leadingTokens(values, prediction.shape, first.count),
      first.data,
    );
  const expectedTarget = io.get('target');
  if (expectedTarget) report.compare(name, 'target', 'forward', target, expectedTarget.data);
}

/** A tensor that holds only the first tokens of each sample: `<prefix><count>`. */
function firstTokens(
  io: GoldenTensors,
  prefix: string,
): { key: string; count: number; data: Float32Array } | undefined {
  for (const [key, { data, shape }] of io) {
    if (key.startsWith(prefix) && shape.length === 3) return { key, count: shape[1]!, data };
  }
  return undefined;
}

/** Rows of [B, N, C] in the order of `indices`, the same number for each sample. */
export function selectTokens(
  values: Float32Array,
  shape: readonly number[],
  indices: Uint32Array,
): Float32Array {
  const [batch, tokens, width] = shape as [number, number, number];
  const perSample = indices.length / batch;
  const result = new Float32Array(indices.length * width);
  indices.forEach((token, i) => {
    const row = Math.floor(i / perSample) * tokens + token;
    result.set(values.subarray(row * width, (row + 1) * width), i * width);
  });
  return result;
}

/** The first `count` tokens of each sample of [B, n, width]. */
export function leadingTokens(values: Float32Array, shape: readonly number[], count: number): Float32Array {
  const [batch, tokens, width] = shape as [number, number, number];
  const result = new Float32Array(batch * count * width);
  for (let b = 0; b < batch; b++) {
    result.set(values.subarray(b * tokens * width, (b * tokens + count) * width), b * count * width);
  }
  return result;
}

// The reference embeds every cube, the model only the visible ones, in region-major order.
async function compareActivations(
  activations: ReadonlyMap<string, Tensor>,
  expected: GoldenTensors | undefined,
  visible: Uint32Array,
  name: string,
  report: Report,
): Promise<void> {
  for (const [key, { data, shape }] of expected ?? []) {
    const activation =
      activations.get(key.replace(/^act\./, '')) ?? activations.get(key.replace(/^act\./, 'encoder.'));
    if (!activation) {
      report.omit(`${name} ${key} (the model has no such intermediate result)`);
      continue;
    }
    const isEmbedding = key.endsWith('patch_embed');
    const reference = isEmbedding ? selectTokens(data, shape, visible) : data;
    report.compare(name, key, 'forward', await activation.read(), reference);
  }
}

async function compareWeighted(
  engine: Engine,
  model: PretrainingModel,
  { video, mask, batch }: { video: Float32Array; mask: Uint8Array; batch: number },
  weighted: Readonly<Record<string, Json>> | undefined,
  name: string,
  report: Report,
): Promise<void> {
  const { encoder } = model.config;
  for (const [motionWeight, expected] of Object.entries(weighted ?? {})) {
    await engine.step(async () => {
      const clips = { video: engine.runtime.upload(video, videoShape(batch, encoder)) };
      const out = model.forward(clips, uploadMask(engine.runtime, encoder, mask), {
        appearanceWeight: 1 - Number(motionWeight),
      });
      const [total, appearance, motion] = await engine.runtime.read(out.parts);
      const compare = (key: string, value: number) =>
        report.compareScalar(
          name,
          `${key}, motion weight ${motionWeight}`,
          'forward',
          value,
          numberField(expected, key, name),
        );
      compare('loss', total!);
      compare('loss_appearance', appearance!);
      compare('loss_motion', motion!);
    });
  }
}

/** Predictions with every visible token at its own decoder position. */
async function compareCorrectedOrder(
  engine: Engine,
  folder: GoldenFolder,
  config: PretrainingConfig,
  inputs: { io: GoldenTensors; video: Float32Array; mask: Uint8Array; batch: number; name: string },
  report: Report,
): Promise<void> {
  const { io, video, mask, batch, name } = inputs;
  const expected = firstTokens(io, 'alt_fixed_order.pred_first');
  const expectedLoss = io.get('alt_fixed_order.loss');
  if (!expected && !expectedLoss) return;
  const model = new PretrainingModel(engine, { ...config, decoderPositions: 'token' });
  loadWeights(model.store, folder.tensors(`${name}.weights`));
  await engine.noGrad(() =>
    engine.step(async () => {
      const clips = { video: engine.runtime.upload(video, videoShape(batch, config.encoder)) };
      const out = model.forward(clips, uploadMask(engine.runtime, config.encoder, mask));
      if (expected) {
        const actual = leadingTokens(await out.prediction.read(), out.prediction.shape, expected.count);
        report.compare(name, expected.key, 'forward', actual, expected.data);
      }
      if (expectedLoss) {
        report.compareScalar(
          name,
          'alt_fixed_order.loss',
          'forward',
          await out.loss.item(),
          expectedLoss.data[0]!,
        );
      }
    }),
  );
  model.release();
}
