import { Engine, loadStateDict, type Tensor } from '@tubelet/autograd';
import { safetensorsFloat32, type SafetensorsTensor } from '@tubelet/autograd/formats';
import type { Runtime } from '@tubelet/kernels';
import {
  Classifier,
  maskFrames,
  predictClip,
  PretrainingModel,
  reconstructFrames,
  regionCount,
  type ClipError,
} from '@tubelet/mae-dfer';
import { representativeAttention, type LocalAttentionWeights } from './attention.js';
import type { ModelFile } from './model-file.js';

type FileOf<Kind> = Extract<ModelFile, { kind: Kind }>;

/** A clip with masked cubes, and what the model makes of them. Frames are [T, H, W, 3]. */
export interface Reconstruction {
  readonly masked: Uint8ClampedArray;
  readonly reconstructed: Uint8ClampedArray;
  /** The share of cubes that are masked: the nearest to the one asked for that regions allow. */
  readonly maskedShare: number;
  readonly error: ClipError;
  /** [masked, cube]: what the model predicts, normalised. */
  readonly prediction: Float32Array;
}

/** A masked autoencoder on the GPU. */
export class Reconstructor {
  private readonly model: PretrainingModel;

  constructor(
    runtime: Runtime,
    readonly file: FileOf<'pretraining'>,
  ) {
    this.model = loaded(new PretrainingModel(new Engine(runtime), file.config), file);
  }

  /** @param frames [T, H, W, 3] */
  async reconstruct(frames: Uint8Array, maskRatio: number, seed: number): Promise<Reconstruction> {
    const { encoder, target = 'difference' } = this.file.config;
    const maskType = encoder.kind === 'vit' ? 'tube' : 'window';
    const { cubes, error } = await predictClip(this.model, frames, { maskRatio, maskType, seed });
    const tokens = frames.length / 3 / encoder.tubeletSize / encoder.patchSize ** 2;
    return {
      masked: maskFrames(frames, cubes.masked, encoder),
      reconstructed: reconstructFrames(frames, cubes, encoder, target).whole,
      maskedShare: cubes.masked.length / tokens,
      error,
      prediction: cubes.prediction,
    };
  }

  release(): void {
    this.model.release();
  }
}

/** What a classifier says of a clip. */
export interface Classification {
  /** [K] */
  readonly logits: Float32Array;
  /** [K] */
  readonly probabilities: readonly number[];
  /** [M, 1+N]: see `representativeAttention`; of the last block. Undefined for a ViT, and for a single block. */
  readonly attention?: Float32Array;
}

/** A classifier on the GPU. */
export class ExpressionClassifier {
  private readonly model: Classifier;
  private readonly lastAttention: LocalAttentionWeights | undefined;

  constructor(
    runtime: Runtime,
    readonly file: FileOf<'classifier'>,
  ) {
    this.model = loaded(new Classifier(new Engine(runtime), file.config), file);
    const { kind, depth, dim } = file.config.encoder;
    // What enters a block is known as the result of the one before.
    if (kind === 'lgi-former' && depth > 1) {
      this.lastAttention = localAttentionWeights(file.weights, `blocks.${depth - 1}`, dim);
    }
  }

  /** Whether `classify` gives attention. */
  get showsAttention(): boolean {
    return this.lastAttention !== undefined;
  }

  /** @param frames [T, H, W, 3] */
  async classify(frames: Uint8Array): Promise<Classification> {
    const { engine } = this.model;
    const { runtime } = engine;
    const { encoder } = this.file.config;
    const { imageSize, depth, heads } = encoder;
    const entering = this.lastAttention ? `blocks.${depth - 2}` : undefined;
    const { logits, tokens } = await engine.step(() =>
      engine.noGrad(async () => {
        let before: Tensor | undefined;
        const observe = (name: string, activation: Tensor) => {
          if (name === entering) before = engine.keep(activation);
        };
        const clip = runtime.upload(frames, [1, encoder.frames, imageSize, imageSize, 3]);
        const output = this.model.forward({ frames: clip }, { observe });
        const tokens = await before?.read();
        if (before) engine.release(before);
        return { logits: await output.logits.read(), tokens };
      }),
    );
    const regions = regionCount(encoder);
    return {
      logits,
      probabilities: softmax(logits),
      attention:
        this.lastAttention &&
        tokens &&
        representativeAttention(tokens, this.lastAttention, { regions, heads }),
    };
  }

  release(): void {
    this.model.release();
  }
}

/** A model with the weights of its file; where they do not fit, its memory is given back. */
function loaded<Model extends PretrainingModel | Classifier>(model: Model, { weights }: ModelFile): Model {
  try {
    loadStateDict(model.store, weights);
  } catch (error) {
    model.release();
    throw error;
  }
  return model;
}

function localAttentionWeights(
  weights: ReadonlyMap<string, SafetensorsTensor>,
  block: string,
  dim: number,
): LocalAttentionWeights {
  const read = (name: string) => safetensorsFloat32(name, weights.get(`${block}.${name}`)!);
  return {
    normWeight: read('first_attn_norm0.weight'),
    normBias: read('first_attn_norm0.bias'),
    queryBias: read('first_attn.q_bias'),
    query: read('first_attn.q.weight'),
    key: read('first_attn.kv.weight').subarray(0, dim * dim),
  };
}

function softmax(logits: Float32Array): number[] {
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - largest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}
