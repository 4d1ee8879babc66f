import { linearLayer, meanRows, ParameterStore, split, type Engine, type Tensor } from '@tubelet/autograd';
import type { GpuArray } from '@tubelet/kernels';
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
import { encode, type ActivationObserver, type DropPathDraws } from './encoder.js';
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
  /** Token indices in region-major order, one clip. */
  private readonly order: Uint32Array;

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
    this.order = regionMajorOrder(encoder);
  }

  /**
   * Logits and features of a batch. `dropPath` holds stochastic-depth draws for training; without them every branch
   * is kept.
   */
  forward(
    clips: ClipBatch,
    { dropPath, observe }: { dropPath?: DropPathDraws; observe?: ActivationObserver } = {},
  ): ClassifierOutput {
    const { engine, store } = this;
    const { encoder } = this.config;
    requireClips(clips, encoder);
    const batch = batchSize(clips);
    const tokens = tokenCount(encoder);
    const regions = regionCount(encoder);
    const cube = cubeSize(encoder);
    const repeated = new Uint32Array(batch * tokens);
    for (let b = 0; b < batch; b++) repeated.set(this.order, b * tokens);
    const indices = engine.runtime.upload(repeated, [batch, tokens], 'u32', 'token order');
    const cubes = engine.empty([batch, tokens, cube], 'f32', 'cubes');
    gatherCubes(engine.runtime, clips, indices, cubes, encoder);
    const encoded = encode(store, '', encoder, this.positions, {
      cubes: engine.output(cubes.reshape([batch, regions, tokens / regions, cube]), [], 'cubes'),
      indices: indices.reshape([batch, regions, tokens / regions]),
      dropPath,
      observe,
    });
    const feature = norm(store, 'fc_norm', this.pool(encoded));
    const logits = linearLayer(store, 'head', feature);
    return { logits, feature };
  }

  /** Returns the model's memory to the pool. */
  release(): void {
    this.store.release();
    this.engine.runtime.release(this.positions);
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
  const [time, height, width] = tokenGrid(config);
  const [rt, rh, rw] = regionOf(config);
  const order = new Uint32Array(time * height * width);
  let next = 0;
  for (let t0 = 0; t0 < time; t0 += rt) {
    for (let h0 = 0; h0 < height; h0 += rh) {
      for (let w0 = 0; w0 < width; w0 += rw) {
        for (let t = t0; t < t0 + rt; t++) {
          for (let h = h0; h < h0 + rh; h++) {
            for (let w = w0; w < w0 + rw; w++) order[next++] = (t * height + h) * width + w;
          }
        }
      }
    }
  }
  return order;
}
