import { layerNormSpecs, linearSpecs, mlpSpecs, type PackSpec, type ParameterSpec } from '@tubelet/autograd';
import { cubeSize, MLP_RATIO, regionCount, type DecoderConfig, type EncoderConfig } from './config.js';

/** Names and shapes of stored tensors, in the order of the published checkpoints. */
export type Specs = (ParameterSpec | PackSpec)[];

/**
 * The convolution whose kernel and stride are one cube, stored [C, 3, t, p, p] and used as the matrix [C, cube]
 * of a linear layer.
 */
export function patchEmbedSpecs(name: string, config: EncoderConfig): Specs {
  const { dim, tubeletSize, patchSize } = config;
  const shape = [dim, 3, tubeletSize, patchSize, patchSize];
  return [
    {
      pack: `${name}.proj.matrix`,
      shape: [dim, cubeSize(config)],
      parts: [{ name: `${name}.proj.weight`, shape }],
    },
    { name: `${name}.proj.bias`, shape: [dim] },
  ];
}

/**
 * Attention of LGI blocks. Keys have no bias. For self-attention the weights of queries, keys and values lie
 * one after the other, so that one product makes all three; cross-attention projects queries and context
 * separately.
 */
function generalAttentionSpecs(name: string, dim: number, kind: 'self' | 'cross'): Specs {
  const projection = linearSpecs(`${name}.proj`, dim, dim);
  const qBias: ParameterSpec = { name: `${name}.q_bias`, shape: [dim] };
  const vBias: ParameterSpec = { name: `${name}.v_bias`, shape: [dim] };
  const q: ParameterSpec = { name: `${name}.q.weight`, shape: [dim, dim] };
  const kv: ParameterSpec = { name: `${name}.kv.weight`, shape: [2 * dim, dim] };
  if (kind === 'cross') {
    return [
      qBias,
      { pack: `${name}.kv_bias`, shape: [2 * dim], parts: [{ gap: dim }, vBias] },
      q,
      kv,
      ...projection,
    ];
  }
  return [
    { pack: `${name}.qkv_bias`, shape: [3 * dim], parts: [qBias, { gap: dim }, vBias] },
    { pack: `${name}.qkv`, shape: [3 * dim, dim], parts: [q, kv] },
    ...projection,
  ];
}

export function lgiBlockSpecs(
  name: string,
  dim: number,
  { interRegion, localGlobal }: { interRegion: boolean; localGlobal: boolean },
): Specs {
  const specs = [
    ...layerNormSpecs(`${name}.first_attn_norm0`, dim),
    ...generalAttentionSpecs(`${name}.first_attn`, dim, 'self'),
  ];
  if (interRegion) {
    specs.push(
      ...layerNormSpecs(`${name}.second_attn_norm0`, dim),
      ...generalAttentionSpecs(`${name}.second_attn`, dim, 'self'),
    );
  }
  if (localGlobal) {
    specs.push(
      ...layerNormSpecs(`${name}.third_attn_norm0`, dim),
      ...layerNormSpecs(`${name}.third_attn_norm1`, dim),
      ...generalAttentionSpecs(`${name}.third_attn`, dim, 'cross'),
    );
  }
  return [
    ...specs,
    ...layerNormSpecs(`${name}.norm2`, dim),
    ...mlpSpecs(`${name}.mlp`, dim, MLP_RATIO * dim),
  ];
}

export function vitBlockSpecs(name: string, dim: number): Specs {
  return [
    ...layerNormSpecs(`${name}.norm1`, dim),
    {
      pack: `${name}.attn.qkv_bias`,
      shape: [3 * dim],
      parts: [
        { name: `${name}.attn.q_bias`, shape: [dim] },
        { gap: dim },
        { name: `${name}.attn.v_bias`, shape: [dim] },
      ],
    },
    { name: `${name}.attn.qkv.weight`, shape: [3 * dim, dim] },
    ...linearSpecs(`${name}.attn.proj`, dim, dim),
    ...layerNormSpecs(`${name}.norm2`, dim),
    ...mlpSpecs(`${name}.mlp`, dim, MLP_RATIO * dim),
  ];
}

/** Everything up to the last block; `prefix` is `encoder.` in pre-training and empty in fine-tuning. */
export function encoderSpecs(prefix: string, config: EncoderConfig): Specs {
  const { dim, depth } = config;
  const specs: Specs = [];
  if (config.kind === 'lgi-former') {
    specs.push({ name: `${prefix}lg_region_tokens`, shape: [regionCount(config), dim] });
  }
  specs.push(...patchEmbedSpecs(`${prefix}patch_embed`, config));
  for (let i = 0; i < depth; i++) {
    const name = `${prefix}blocks.${i}`;
    specs.push(
      ...(config.kind === 'lgi-former' ? lgiBlockSpecs(name, dim, config) : vitBlockSpecs(name, dim)),
    );
  }
  return specs;
}

/** Parameters of the masked autoencoder. */
export function pretrainingSpecs(encoder: EncoderConfig, decoder: DecoderConfig): Specs {
  const specs: Specs = [
    { name: 'mask_token', shape: [1, 1, decoder.dim] },
    ...encoderSpecs('encoder.', encoder),
  ];
  specs.push(...layerNormSpecs('encoder.norm', encoder.dim));
  for (let i = 0; i < decoder.depth; i++) specs.push(...vitBlockSpecs(`decoder.blocks.${i}`, decoder.dim));
  specs.push(
    ...layerNormSpecs('decoder.norm', decoder.dim),
    ...linearSpecs('decoder.head', cubeSize(encoder), decoder.dim),
  );
  specs.push(...linearSpecs('encoder_to_decoder', decoder.dim, encoder.dim, { bias: false }));
  return specs;
}

/** Parameters of the classifier. */
export function classifierSpecs(encoder: EncoderConfig, classes: number): Specs {
  return [
    ...encoderSpecs('', encoder),
    ...layerNormSpecs('fc_norm', encoder.dim),
    ...linearSpecs('head', classes, encoder.dim),
  ];
}
