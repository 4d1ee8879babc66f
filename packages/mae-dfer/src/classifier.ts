import {
  meanRows,
  split,
  type Engine,
  type ParameterGroup,
  type ParameterStore,
  type Tensor,
} from '@tubelet/autograd';
import { linear, parameter, parameterShapes, tree, truncatedNormal } from '@tubelet/autograd/layers';
import { maskFromBooleans, uploadIndices, type GpuArray } from '@tubelet/kernels';
import type { PassOptions } from './blocks.js';
import { batchSize, gatherCubes, requireClips, type ClipBatch } from './clip-batch.js';
import {
  ConfigError,
  cubeSize,
  regionCount,
  regionOf,
  tokenCount,
  tokenGrid,
  validateEncoder,
} from './config.js';
import type { EncoderConfig } from './config.js';
import { encoder, type DropPathDraws } from './encoder.js';
import { norm } from './layers.js';
import { sinusoidTable } from './positions.js';

/** What a classifier is: its encoder, its classes and what it pools. */
export interface ClassifierConfig {
  readonly encoder: EncoderConfig;
  readonly classes: number;
  /** Tokens whose mean is the clip's feature (Table 5 of the paper); a ViT has only `original` ones. */
  readonly pooling: 'representative' | 'original' | 'all';
}

/** What one forward pass of a classifier gives. */
export interface ClassifierOutput {
  /** [B, classes] */
  readonly logits: Tensor;
  /** [B, C]: mean of the pooled tokens, normalised. */
  readonly feature: Tensor;
}

/** How the weights of a classifier begin. */
export interface ClassifierOptions {
  /** Factor of the head's first weights, so that first logits are near zero; default 0.001. */
  readonly headScale?: number;
}

/** How fine-tuning scales the learning rate by layer. */
export interface LayerDecayOptions {
  readonly layerDecay: number;
  /**
   * The layer of the representative tokens: `last`, at the full learning rate, as the published training has them;
   * or `first`, with the patch embedding, since like it they are an input of block 0. Default `last`.
   */
  readonly representativeTokens?: 'first' | 'last';
}

/** The parts of the classifier under the names of the published checkpoints, and their first values. */
function partsOf({ encoder: config, classes }: ClassifierConfig, { headScale = 0.001 }: ClassifierOptions) {
  const init = truncatedNormal(0.02, 2);
  // The published training decays those of pre-training alone.
  const tokens = (shape: readonly number[]) => parameter(shape, init, { decays: false });
  const { children, forward: encode } = encoder(config, { init, tokens });
  const feature = norm(config.dim);
  const head = linear(config.dim, classes, {
    init: (shape, random) => init(shape, random).map((value) => value * headScale),
  });
  return { net: tree({ ...children, fc_norm: feature, head }), encoder: children, encode, feature, head };
}

/** Names and shapes of the parameters of a classifier, in the order of the published checkpoints. */
export function classifierShapes(encoder: EncoderConfig, classes: number): Map<string, readonly number[]> {
  return parameterShapes(partsOf({ encoder, classes, pooling: 'all' }, {}).net);
}

/** The encoder on all cubes of a clip, with mean pooling, a norm and a linear head. */
export class Classifier {
  readonly store: ParameterStore;
  private readonly parts: ReturnType<typeof partsOf>;
  private readonly positions: GpuArray;
  /** u32 [B, tokens] by batch size: region-major token order, the same for every clip. */
  private readonly orders = new Map<number, GpuArray>();

  /**
   * Parameters are zero until initialised or loaded.
   *
   * @throws ConfigError for settings that do not fit
   */
  constructor(
    readonly engine: Engine,
    readonly config: ClassifierConfig,
    options: ClassifierOptions = {},
  ) {
    const { encoder, classes, pooling } = config;
    validateEncoder(encoder);
    if (!Number.isInteger(classes) || classes < 1)
      throw new ConfigError(`classes is ${classes}; at least 1 is needed`);
    if (encoder.kind === 'vit' && pooling !== 'original') {
      throw new ConfigError(
        `pooling is "${pooling}", but a ViT has no representative tokens; use "original"`,
      );
    }
    this.parts = partsOf(config, options);
    this.store = this.parts.net.bind(engine).store;
    const tokens = tokenCount(encoder);
    const { runtime } = engine;
    this.positions = runtime.keep(
      runtime.upload(sinusoidTable(tokens, encoder.dim), [tokens, encoder.dim], 'f32', 'positions'),
    );
  }

  /**
   * Fresh weights: linear layers and tokens normal with σ = 0.02 (cut at ±2), biases 0, norms 1 and 0, the patch embedding
   * as PyTorch begins. Equal seeds give equal weights.
   */
  initialise(seed: number): void {
    this.parts.net.initialise({ seed });
  }

  /**
   * Layer-wise learning-rate decay (Clark et al., 2020; as in BEiT): the patch embedding is layer 0, block i layer i + 1,
   * everything else layer depth + 1; the learning rate of a layer is `layerDecay` to the power of its distance from the
   * last.
   */
  learningRateGroups({ layerDecay, representativeTokens = 'last' }: LayerDecayOptions): ParameterGroup[] {
    const { patch_embed, blocks, lg_region_tokens } = this.parts.encoder;
    const first = patch_embed.parameters();
    if (lg_region_tokens && representativeTokens === 'first') first.push(lg_region_tokens.tensor);
    const layers = [first, ...blocks.each.map((block) => block.parameters())];
    return layers.map((parameters, layer) => ({
      parameters,
      learningRateScale: layerDecay ** (layers.length - layer),
    }));
  }

  /**
   * Logits and features of a batch. `dropPath` holds stochastic-depth draws for training; without them every branch
   * is kept.
   */
  forward(
    clips: ClipBatch,
    { dropPath, ...pass }: PassOptions & { dropPath?: DropPathDraws } = {},
  ): ClassifierOutput {
    const { engine, parts } = this;
    const { encoder } = this.config;
    requireClips(clips, encoder);
    const batch = batchSize(clips);
    const tokens = tokenCount(encoder);
    const regions = regionCount(encoder);
    const cube = cubeSize(encoder);
    const indices = this.tokenOrder(batch);
    const cubes = engine.empty([batch, tokens, cube], 'f32', 'cubes');
    gatherCubes(engine.runtime, clips, indices, cubes, encoder);
    const encoded = parts.encode({
      cubes: engine.output(cubes.reshape([batch, regions, tokens / regions, cube]), [], 'cubes'),
      indices: indices.reshape([batch, regions, tokens / regions]),
      positions: this.positions,
      dropPath,
      ...pass,
    });
    const feature = parts.feature(this.pool(encoded));
    return { logits: parts.head(feature), feature };
  }

  /** Returns the model's memory to the pool. */
  release(): void {
    this.store.release();
    for (const array of [this.positions, ...this.orders.values()]) this.engine.runtime.release(array);
    this.orders.clear();
  }

  private tokenOrder(batch: number): GpuArray {
    const known = this.orders.get(batch);
    if (known) return known;
    const { runtime } = this.engine;
    const order = regionMajorOrder(this.config.encoder);
    const repeated = Uint32Array.from({ length: batch * order.length }, (_, i) => order[i % order.length]!);
    const rows = tokenCount(this.config.encoder);
    const array = runtime.keep(
      uploadIndices(runtime, repeated, [batch, order.length], { rows, label: 'token order' }),
    );
    this.orders.set(batch, array);
    return array;
  }

  /** Mean of the chosen tokens, [B, C]. Regions have equally many, so means of their means are exact. */
  private pool(encoded: Tensor): Tensor {
    const { encoder, pooling } = this.config;
    if (encoder.kind === 'vit') return meanRows(encoded);
    if (pooling === 'all') return meanRows(meanRows(encoded));
    const [representatives, locals] = split(encoded, 2, [1, encoded.extent(2) - 1]) as [Tensor, Tensor];
    return meanRows(meanRows(pooling === 'representative' ? representatives : locals));
  }
}

/** Token indices p = (t·H + h)·W + w region by region; region r = (tᵣ·nh + hᵣ)·nw + wᵣ, ascending p inside. */
export function regionMajorOrder(config: EncoderConfig): Uint32Array {
  const nothingMasked = new Uint8Array(tokenCount(config));
  return maskFromBooleans(nothingMasked, tokenGrid(config), regionOf(config)).visible;
}
