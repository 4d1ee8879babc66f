import {
  addRows,
  broadcastRows,
  gather,
  join,
  reshape,
  split,
  twoPartSquareError,
  type Engine,
  type ParameterStore,
  type Tensor,
  type WeightedLoss,
} from '@tubelet/autograd';
import {
  linear,
  parameter,
  parameterShapes,
  tree,
  truncatedNormal,
  xavierUniform,
} from '@tubelet/autograd/layers';
import type { GpuArray } from '@tubelet/kernels';
import { blocks, observedUnder, type PassOptions } from './blocks.js';
import { gatherCubes, requireClips, batchSize, type ClipBatch } from './clip-batch.js';
import {
  cubeSize,
  tokenCount,
  validateDecoder,
  validateEncoder,
  type DecoderConfig,
  type EncoderConfig,
} from './config.js';
import { encoder } from './encoder.js';
import { norm } from './layers.js';
import { requireMask, type MaskOnDevice } from './mask.js';
import { sinusoidTable } from './positions.js';
import { buildTargets, type TargetKind } from './targets.js';
import { vitBlock } from './vit-block.js';

/** What a masked autoencoder is, and what it predicts. */
export interface PretrainingConfig {
  readonly encoder: EncoderConfig;
  readonly decoder: DecoderConfig;
  /**
   * Which decoder position a visible token gets. `token`: its own. `reference`: that of the token of the same rank
   * in ascending order, as the published code and checkpoint do; the two differ wherever a region spans several
   * temporal slots and a frame several regions.
   */
  readonly decoderPositions: 'token' | 'reference';
  /** Default `difference`. */
  readonly target?: TargetKind;
}

/** What one forward pass gives. */
export interface PretrainingOutput extends WeightedLoss {
  /** [B, masked, cube]: predicted targets of the masked cubes, ascending token order. */
  readonly prediction: Tensor;
  /** [B, masked, cube]: the targets; of each cube its first frame, or appearance, and then its second, or motion. */
  readonly target: GpuArray;
}

/** The parts of the masked autoencoder under the names of the published checkpoints, and their first values. */
function partsOf(config: Pick<PretrainingConfig, 'encoder' | 'decoder'>) {
  const [{ dim: encoderDim }, { dim, depth }] = [config.encoder, config.decoder];
  const init = xavierUniform;
  const token = truncatedNormal(0.02, 0.02);
  const maskToken = parameter([1, 1, dim], token, { decays: false });
  const encoding = encoder(config.encoder, { init, tokens: (shape) => parameter(shape, token) });
  const encoderNorm = norm(encoderDim);
  const decoderBlocks = blocks(Array.from({ length: depth }, () => vitBlock(config.decoder, init)));
  const decoderNorm = norm(dim);
  const head = linear(dim, cubeSize(config.encoder), { init });
  const project = linear(encoderDim, dim, { bias: false });
  const net = tree({
    mask_token: maskToken,
    encoder: tree({ ...encoding.children, norm: encoderNorm }),
    decoder: tree({ blocks: decoderBlocks, norm: decoderNorm, head }),
    encoder_to_decoder: project,
  });
  return { net, maskToken, encode: encoding.forward, encoderNorm, project, decoderBlocks, decoderNorm, head };
}

/** Names and shapes of the parameters of a masked autoencoder, in the order of the published checkpoints. */
export function pretrainingShapes(
  config: Pick<PretrainingConfig, 'encoder' | 'decoder'>,
): Map<string, readonly number[]> {
  return parameterShapes(partsOf(config).net);
}

/** The masked autoencoder: encoder on visible cubes, light decoder on all, targets of masked cubes. */
export class PretrainingModel {
  readonly store: ParameterStore;
  private readonly parts: ReturnType<typeof partsOf>;
  private readonly encoderPositions: GpuArray;
  private readonly decoderPositionTable: GpuArray;

  /**
   * Parameters are zero until initialised or loaded.
   *
   * @throws ConfigError for settings that do not fit
   */
  constructor(
    readonly engine: Engine,
    readonly config: PretrainingConfig,
  ) {
    const { encoder, decoder } = config;
    validateEncoder(encoder);
    validateDecoder(decoder);
    this.parts = partsOf(config);
    this.store = this.parts.net.bind(engine).store;
    const { runtime } = engine;
    const tokens = tokenCount(encoder);
    const table = (dim: number) =>
      runtime.keep(runtime.upload(sinusoidTable(tokens, dim), [tokens, dim], 'f32', 'positions'));
    this.encoderPositions = table(encoder.dim);
    this.decoderPositionTable = decoder.dim === encoder.dim ? this.encoderPositions : table(decoder.dim);
  }

  /**
   * Fresh weights: linear layers Xavier-uniform, biases 0, norms 1 and 0, tokens truncated normal (σ = 0.02, cut at ±0.02);
   * the patch embedding and the encoder-to-decoder projection as PyTorch begins. Equal seeds give equal weights.
   */
  initialise(seed: number): void {
    this.parts.net.initialise({ seed });
  }

  /** Visible tokens through the encoder, its final norm included: [B, visible, C], region-major. */
  encodeVisible(clips: ClipBatch, mask: MaskOnDevice, pass: PassOptions = {}): Tensor {
    const { engine, parts } = this;
    const { encoder } = this.config;
    requireClips(clips, encoder);
    requireMask(mask, encoder);
    const batch = batchSize(clips);
    const { regions, visiblePerRegion, visibleCount } = mask.counts;
    const rows = regions * visiblePerRegion;
    const cubes = engine.empty([batch, rows, cubeSize(encoder)], 'f32', 'visible cubes');
    gatherCubes(engine.runtime, clips, mask.visible.reshape([batch, rows]), cubes, encoder);
    const tokens = parts.encode({
      cubes: engine.output(cubes.reshape([batch, regions, visiblePerRegion, cubeSize(encoder)]), [], 'cubes'),
      indices: mask.visible,
      positions: this.encoderPositions,
      tokensOfRegions: mask.uneven?.tokensOfRegions,
      ...observedUnder('encoder.', pass),
    });
    const locals = encoder.kind === 'lgi-former' ? split(tokens, 2, [1, visiblePerRegion])[1]! : tokens;
    const normed = parts.encoderNorm(locals);
    const encoded = mask.uneven
      ? gather(reshape(normed, [batch * rows, encoder.dim]), engine.output(mask.uneven.rows, [], 'rows'))
      : reshape(normed, [batch, visibleCount, encoder.dim]);
    pass.observe?.('encoder_out', encoded);
    return encoded;
  }

  /** Predictions for the masked cubes, [B, masked, cube], from encoded visible tokens. */
  private decode(encoded: Tensor, mask: MaskOnDevice, pass: PassOptions): Tensor {
    const { engine, parts } = this;
    const { decoder, decoderPositions } = this.config;
    const batch = encoded.extent(0);
    const { visibleCount, maskedCount } = mask.counts;
    const table = this.decoderPositionTable;
    const visibleIndices =
      decoderPositions === 'token' ? (mask.uneven?.tokens ?? mask.visible) : mask.visibleAscending;
    const tokens = engine.empty([batch, visibleCount + maskedCount, decoder.dim], 'f32', 'decoder tokens');
    const projected = parts.project(encoded);
    pass.observe?.('encoder_to_decoder', projected);
    const visible = addRows(
      projected,
      { table, indices: visibleIndices.reshape([batch * visibleCount]) },
      { into: tokens.slice(1, 0, visibleCount) },
    );
    const masked = broadcastRows(parts.maskToken.tensor, [batch, maskedCount], {
      rows: { table, indices: mask.masked.reshape([batch * maskedCount]) },
      into: tokens.slice(1, visibleCount, visibleCount + maskedCount),
    });
    const x = parts.decoderBlocks(
      join(tokens, [visible, masked]),
      observedUnder('decoder.', pass),
      () => ({}),
    );
    return parts.head(parts.decoderNorm(split(x, 1, [visibleCount, maskedCount])[1]!));
  }

  /**
   * Reconstructs the masked cubes and compares them with their targets:
   * λ · MSE(appearance) + (1 − λ) · MSE(motion), λ = `appearanceWeight`. Of targets that are pixels these are the first
   * frames of cubes and the second ones, and λ = ½ gives the mean over all, as VideoMAE has it.
   */
  forward(
    clips: ClipBatch,
    mask: MaskOnDevice,
    { appearanceWeight = 0.5, ...pass }: PassOptions & { appearanceWeight?: number } = {},
  ): PretrainingOutput {
    const { encoder, target: kind = 'difference' } = this.config;
    const target = buildTargets(this.engine.runtime, clips, mask.masked, encoder, kind);
    const prediction = this.decode(this.encodeVisible(clips, mask, pass), mask, pass);
    return { prediction, target, ...twoPartSquareError(prediction, target, { appearanceWeight }) };
  }

  /** Returns the model's memory to the pool. */
  release(): void {
    const { runtime } = this.engine;
    this.store.release();
    runtime.release(this.encoderPositions);
    if (this.decoderPositionTable !== this.encoderPositions) runtime.release(this.decoderPositionTable);
  }
}
