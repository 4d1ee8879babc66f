import { linearLayer, meanRows, ParameterStore, split, type Engine, type Tensor } from '@tubelet/autograd';
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
import { encode, type DropPathDraws } from './encoder.js';
import { norm } from './layers.js';
import { classifierSpecs } from './parameter-specs.js';
import { sinusoidTable } from './positions.js';

export interface ClassifierConfig {
  readonly encoder: EncoderConfig;
  readonly classes: number;
  /** Tokens whose mean is the clip's feature (Table 5 of the paper); a ViT has only `original` ones. */
  readonly pooling: 'representative' | 'original' | 'all';
}

export interface ClassifierOutput {
  /** [B, classes] */
  readonly logits: Tensor;
  /** [B, C]: mean of the pooled tokens, normalised. */
  readonly feature: Tensor;
}

/** The encoder on all cubes of a clip, with mean pooling, a norm and a linear head. */
export class Classifier {
  readonly store: ParameterStore;
  private readonly positions: GpuArray;
  /** u32 [B, tokens] by batch size: region-major token order, the same for every clip. */
  private readonly orders = new Map<number, GpuArray>();

  /** Parameters are zero until initialised or loaded. Throws `ConfigError` for settings that do not fit. */
  constructor(
    readonly engine: Engine,
    readonly config: ClassifierConfig,
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
    this.store = new ParameterStore(engine, classifierSpecs(encoder, classes));
    const tokens = tokenCount(encoder);
    const { runtime } = engine;
    this.positions = runtime.keep(
      runtime.upload(sinusoidTable(tokens, encoder.dim), [tokens, encoder.dim], 'f32', 'positions'),
    );
  }

  /**
   * Logits and features of a batch. `dropPath` holds stochastic-depth draws for training; without them every branch
   * is kept.
   */
  forward(
    clips: ClipBatch,
    { dropPath, ...pass }: PassOptions & { dropPath?: DropPathDraws } = {},
  ): ClassifierOutput {
    const { engine, store } = this;
    const { encoder } = this.config;
    requireClips(clips, encoder);
    const batch = batchSize(clips);
    const tokens = tokenCount(encoder);
    const regions = regionCount(encoder);
    const cube = cubeSize(encoder);
    const indices = this.tokenOrder(batch);
    const cubes = engine.empty([batch, tokens, cube], 'f32', 'cubes');
    gatherCubes(engine.runtime, clips, indices, cubes, encoder);
    const encoded = encode(store, '', encoder, this.positions, {
      cubes: engine.output(cubes.reshape([batch, regions, tokens / regions, cube]), [], 'cubes'),
      indices: indices.reshape([batch, regions, tokens / regions]),
      dropPath,
      ...pass,
    });
    const feature = norm(store, 'fc_norm', this.pool(encoded));
    const logits = linearLayer(store, 'head', feature);
    return { logits, feature };
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
