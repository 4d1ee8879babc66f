import { safetensorsFloat32, type SafetensorsTensor } from '@tubelet/autograd/formats';
import { IMAGENET_MEAN, IMAGENET_STD } from '@tubelet/kernels';
import {
  LAYER_NORM_EPSILON,
  MLP_RATIO,
  regionCount,
  regionMajorOrder,
  regionOf,
  sinusoidTable,
  tokenCount,
  tokenGrid,
  type LgiFormerConfig,
} from '@tubelet/mae-dfer';
import { UserError } from '@tubelet/trainer';
import type { ClassifierDescription } from '../../classifier/classifier-file.js';
import { GraphBuilder, type Value } from './graph-builder.js';
import type { OnnxModel } from './onnx-format.js';

/** Of the standard operators: GELU is one since this version. */
export const OPSET = 20;

/**
 * The graph of a classifier in standard ONNX operators: paper's equations 3–15 without what only training needs.
 *
 * Input `video` [batch, 3, T, H, W], RGB from 0 to 1; ImageNet's mean and deviation are part of the graph. Outputs:
 * `logits` [batch, K] and `feature` [batch, C], the pooled tokens after the last norm.
 *
 * @throws UserError naming a weight that is missing or of another shape
 */
export function classifierGraph(
  description: ClassifierDescription,
  weights: ReadonlyMap<string, SafetensorsTensor>,
): OnnxModel {
  const { model, classNames, clips } = description;
  const { encoder, classes, pooling } = model;
  const { dim, heads, frames, imageSize } = encoder;
  const graph = new GraphBuilder();
  const layers = new Layers(graph, weights, heads);

  const cubes = layers.cubes({ name: 'video', shape: [3, frames, imageSize, imageSize] }, encoder);
  let pooled: string;
  if (encoder.kind === 'vit') {
    let x = graph.add(
      cubes,
      graph.constant('positions', sinusoidTable(tokenCount(encoder), dim), [tokenCount(encoder), dim]),
    );
    for (let i = 0; i < encoder.depth; i++) x = layers.vitBlock(`blocks.${i}`, x);
    pooled = graph.node('ReduceMean', [x.name, graph.integers([1])], { keepdims: 0 });
  } else {
    let x = layers.regions(cubes, encoder);
    for (let i = 0; i < encoder.depth; i++) x = layers.lgiBlock(`blocks.${i}`, x, encoder);
    const [from, to] = { representative: [0, 1], original: [1, x.shape[1]!], all: [0, x.shape[1]!] }[
      pooling
    ] as [number, number];
    const tokens = graph.slice(x, 1, from, to);
    pooled = graph.node('ReduceMean', [tokens.name, graph.integers([1, 2])], { keepdims: 0 });
  }
  const feature = layers.norm('fc_norm', { name: pooled, shape: [dim] }, 'feature');
  const product = layers.product(feature, 'head.weight', [classes, dim]);
  graph.node('Add', [product.name, layers.weight('head.bias', [classes])], {}, 'logits');

  return {
    opset: OPSET,
    docString:
      `Facial expression classifier (${encoder.kind}): video [batch, 3, ${frames}, ${imageSize}, ${imageSize}], RGB from ` +
      `0 to 1, every ${clips.frameStep}. frame of the video; logits of ${classNames.join(', ')}.`,
    metadata: {
      classes: JSON.stringify(classNames),
      frameStep: String(clips.frameStep),
      crop: clips.crop,
      model: JSON.stringify(model),
    },
    nodes: graph.nodes,
    initializers: graph.initializers,
    inputs: [
      {
        name: 'video',
        shape: ['batch', 3, frames, imageSize, imageSize],
        docString: 'RGB from 0 to 1',
      },
    ],
    outputs: [
      { name: 'logits', shape: ['batch', classes], docString: classNames.join(', ') },
      { name: 'feature', shape: ['batch', dim], docString: 'pooled tokens after the last norm' },
    ],
  };
}

/** The layers of both encoders, with their weights under the published names. */
class Layers {
  constructor(
    private readonly graph: GraphBuilder,
    private readonly weights: ReadonlyMap<string, SafetensorsTensor>,
    private readonly heads: number,
  ) {}

  private values(name: string, shape: readonly number[]): Float32Array {
    const tensor = this.weights.get(name);
    if (tensor === undefined) throw new UserError(`the checkpoint has no weight ${name}`);
    if (tensor.shape.join() !== shape.join()) {
      throw new UserError(`${name} is [${tensor.shape.join(', ')}]; this model has [${shape.join(', ')}]`);
    }
    return safetensorsFloat32(name, tensor);
  }

  /** A weight as a constant; gives its name. */
  weight(name: string, shape: readonly number[]): string {
    return this.graph.constant(name, this.values(name, shape), shape);
  }

  /** Normalised cubes through the embedding: [P, C] of a ViT's tokens, still [C, t, h, w] for regions. */
  cubes(
    video: Value,
    { dim, tubeletSize, patchSize, ...clip }: ClassifierDescription['model']['encoder'],
  ): Value {
    const { graph } = this;
    const perChannel = (name: string, values: readonly number[]) =>
      graph.constant(name, Float32Array.from(values), [1, 3, 1, 1, 1]);
    const centred = graph.node('Sub', [video.name, perChannel('mean', IMAGENET_MEAN)]);
    const normalised = graph.node('Div', [centred, perChannel('deviation', IMAGENET_STD)]);
    const kernel = [tubeletSize, patchSize, patchSize];
    const grid = tokenGrid({ ...clip, tubeletSize, patchSize });
    const name = graph.node(
      'Conv',
      [
        normalised,
        this.weight('patch_embed.proj.weight', [dim, 3, ...kernel]),
        this.weight('patch_embed.proj.bias', [dim]),
      ],
      { kernel_shape: kernel, strides: kernel },
    );
    const embedded = { name, shape: [dim, ...grid] };
    if (clip.kind !== 'vit') return embedded;
    return graph.transpose(graph.reshape(embedded, [dim, grid[0] * grid[1] * grid[2]]), [1, 0]);
  }

  /** Region by region with their positions, behind the representative of the region: [M, 1+N, C]. */
  regions(embedded: Value, encoder: LgiFormerConfig): Value {
    const { graph } = this;
    const { dim } = encoder;
    const inRegion = regionOf(encoder);
    const regions = regionCount(encoder);
    const perRegion = tokenCount(encoder) / regions;
    const split = tokenGrid(encoder).flatMap((extent, axis) => [extent / inRegion[axis]!, inRegion[axis]!]);
    const tokens = graph.reshape(
      graph.transpose(graph.reshape(embedded, [dim, ...split]), [1, 3, 5, 2, 4, 6, 0]),
      [regions, perRegion, dim],
    );
    const table = sinusoidTable(tokenCount(encoder), dim);
    const positions = new Float32Array(table.length);
    for (const [row, token] of regionMajorOrder(encoder).entries()) {
      positions.set(table.subarray(token * dim, (token + 1) * dim), row * dim);
    }
    const locals = graph.add(tokens, graph.constant('positions', positions, [regions, perRegion, dim]));
    // The same representatives for every clip of the batch, which is known when the model runs.
    const published = this.values('lg_region_tokens', [regions, dim]);
    const batch = graph.node('Shape', [locals.name], { start: 0, end: 1 });
    const shape = graph.node('Concat', [batch, graph.integers([regions, 1, dim])], { axis: 0 });
    const representatives = graph.node('Expand', [
      graph.constant('lg_region_tokens', published, [regions, 1, dim]),
      shape,
    ]);
    return graph.concat([{ name: representatives, shape: [regions, 1, dim] }, locals], 1);
  }

  vitBlock(name: string, x: Value): Value {
    const dim = x.shape.at(-1)!;
    const normed = this.norm(`${name}.norm1`, x);
    const bias = this.biases(
      `${name}.attn.qkv_bias`,
      [`${name}.attn.q_bias`, null, `${name}.attn.v_bias`],
      dim,
    );
    const qkv = this.graph.add(this.product(normed, `${name}.attn.qkv.weight`, [3 * dim, dim]), bias);
    const [q, k, v] = [0, 1, 2].map((i) => this.graph.slice(qkv, 1, i * dim, (i + 1) * dim));
    const attended = this.projected(`${name}.attn`, this.attention(q!, k!, v!), x);
    return this.feedForward(name, attended);
  }

  /** One block of LGI-Former on [M, 1+N, C], row 0 of a region being its representative. */
  lgiBlock(name: string, input: Value, { interRegion, localGlobal }: LgiFormerConfig): Value {
    const { graph } = this;
    const [regions, rows, dim] = input.shape as [number, number, number];
    const windows = this.norm(`${name}.first_attn_norm0`, input);
    const x = this.projected(
      `${name}.first_attn`,
      this.attention(...this.queriesKeysValues(`${name}.first_attn`, windows, windows)),
      input,
    );
    if (!interRegion && !localGlobal) return this.feedForward(name, x);
    let representatives = graph.slice(x, 1, 0, 1);
    if (interRegion) {
      const normed = graph.reshape(this.norm(`${name}.second_attn_norm0`, representatives), [regions, dim]);
      const mixed = this.attention(...this.queriesKeysValues(`${name}.second_attn`, normed, normed));
      representatives = this.projected(
        `${name}.second_attn`,
        graph.reshape(mixed, [regions, 1, dim]),
        representatives,
      );
    }
    let locals = graph.slice(x, 1, 1, rows);
    if (localGlobal) {
      const queries = graph.reshape(this.norm(`${name}.third_attn_norm0`, locals), [
        regions * (rows - 1),
        dim,
      ]);
      const context = graph.reshape(this.norm(`${name}.third_attn_norm1`, representatives), [regions, dim]);
      const informed = this.attention(...this.queriesKeysValues(`${name}.third_attn`, queries, context));
      locals = this.projected(`${name}.third_attn`, graph.reshape(informed, locals.shape), locals);
    }
    return this.feedForward(name, graph.concat([representatives, locals], 1));
  }

  /** Layer norm over the last axis. */
  norm(name: string, x: Value, output?: string): Value {
    const width = x.shape.at(-1)!;
    const inputs = [x.name, this.weight(`${name}.weight`, [width]), this.weight(`${name}.bias`, [width])];
    const attributes = { axis: -1, epsilon: { float: LAYER_NORM_EPSILON } };
    return { name: this.graph.node('LayerNormalization', inputs, attributes, output), shape: x.shape };
  }

  /** x·Wᵀ, W [outputs, inputs] as it is published and stored transposed, as MatMul takes it. */
  product(x: Value, name: string, [outputs, inputs]: readonly [number, number]): Value {
    const values = this.values(name, [outputs, inputs]);
    const transposed = new Float32Array(values.length);
    for (let o = 0; o < outputs; o++) {
      for (let i = 0; i < inputs; i++) transposed[i * outputs + o] = values[o * inputs + i]!;
    }
    const weight = this.graph.constant(name, transposed, [inputs, outputs]);
    return { name: this.graph.node('MatMul', [x.name, weight]), shape: [...x.shape.slice(0, -1), outputs] };
  }

  /** Biases one behind the other; zeros where there is none, as of keys. */
  private biases(name: string, parts: readonly (string | null)[], width: number): string {
    const all = new Float32Array(parts.length * width);
    for (const [i, part] of parts.entries()) {
      if (part !== null) all.set(this.values(part, [width]), i * width);
    }
    return this.graph.constant(name, all, [all.length]);
  }

  private queriesKeysValues(name: string, queries: Value, context: Value): [Value, Value, Value] {
    const { graph } = this;
    const dim = queries.shape.at(-1)!;
    const q = graph.add(
      this.product(queries, `${name}.q.weight`, [dim, dim]),
      this.weight(`${name}.q_bias`, [dim]),
    );
    const bias = this.biases(`${name}.kv_bias`, [null, `${name}.v_bias`], dim);
    const kv = graph.add(this.product(context, `${name}.kv.weight`, [2 * dim, dim]), bias);
    const last = kv.shape.length - 1;
    return [q, graph.slice(kv, last, 0, dim), graph.slice(kv, last, dim, 2 * dim)];
  }

  /** softmax(Q·Kᵀ/√d)·V in each head: q [..., n, C], k and v [..., m, C], gives [..., n, C]. */
  private attention(q: Value, k: Value, v: Value): Value {
    const { graph, heads } = this;
    const width = q.shape.at(-1)! / heads;
    const outer = q.shape.slice(0, -2).map((_, axis) => axis);
    const first = outer.length;
    const inHeads = (x: Value, order: readonly number[]) =>
      graph.transpose(graph.reshape(x, [...x.shape.slice(0, -1), heads, width]), [
        ...outer,
        ...order.map((axis) => first + axis),
      ]);
    const scale = graph.constant(`scale ${graph.nodes.length}`, Float32Array.of(width ** -0.5), []);
    const scaled = graph.node('Mul', [inHeads(q, [1, 0, 2]).name, scale]);
    const scores = graph.node('MatMul', [scaled, inHeads(k, [1, 2, 0]).name]);
    const shares = graph.node('Softmax', [scores], { axis: -1 });
    const heard = graph.node('MatMul', [shares, inHeads(v, [1, 0, 2]).name]);
    const rows = q.shape.at(-2)!;
    const each = { name: heard, shape: [...q.shape.slice(0, -2), heads, rows, width] };
    return graph.reshape(graph.transpose(each, [...outer, first + 1, first, first + 2]), q.shape);
  }

  private projected(name: string, x: Value, residual: Value): Value {
    const dim = x.shape.at(-1)!;
    const product = this.product(x, `${name}.proj.weight`, [dim, dim]);
    return this.graph.add(this.graph.add(product, this.weight(`${name}.proj.bias`, [dim])), residual.name);
  }

  /** x + fc2(gelu(fc1(norm2(x)))), GELU with the error function. */
  private feedForward(name: string, x: Value): Value {
    const { graph } = this;
    const dim = x.shape.at(-1)!;
    const hidden = MLP_RATIO * dim;
    const first = graph.add(
      this.product(this.norm(`${name}.norm2`, x), `${name}.mlp.fc1.weight`, [hidden, dim]),
      this.weight(`${name}.mlp.fc1.bias`, [hidden]),
    );
    const gelu = { name: graph.node('Gelu', [first.name]), shape: first.shape };
    const second = graph.add(
      this.product(gelu, `${name}.mlp.fc2.weight`, [dim, hidden]),
      this.weight(`${name}.mlp.fc2.bias`, [dim]),
    );
    return graph.add(second, x.name);
  }
}
