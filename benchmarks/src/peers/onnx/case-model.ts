import { product } from '@tubelet/kernels';
import { LAYER_NORM_EPSILON } from '@tubelet/mae-dfer';
import type { BlockCase, CaseShape, HostTensors } from '../cases.js';
import { OnnxGraph, type Edge } from './onnx-graph.js';

/** Attention from single operators, or ONNX Runtime's own operator for it. */
export const ATTENTION_METHODS = ['composed', 'fused attention'] as const;
export type AttentionMethod = (typeof ATTENTION_METHODS)[number];

/** A case as an ONNX model: which inputs a run is given, and the shape of its output `y`. */
export interface CaseModel {
  readonly model: Uint8Array<ArrayBuffer>;
  readonly inputs: readonly string[];
  readonly outputShape: readonly number[];
}

/** An edge of the graph with its extents. */
interface Tensor {
  readonly edge: Edge;
  readonly shape: readonly number[];
}

/** Weights become part of the model, as in an exported one; activations are inputs. */
export function caseModel(shape: CaseShape, inputs: HostTensors, method: AttentionMethod): CaseModel {
  const builder = new CaseGraph(inputs, method);
  const y = output(builder, shape);
  return {
    model: builder.graph.model(y.edge, y.shape),
    inputs: builder.used,
    outputShape: y.shape,
  };
}

function output(g: CaseGraph, shape: CaseShape): Tensor {
  switch (shape.kind) {
    case 'matmul':
      return g.product(g.input('a'), g.weight('b'));
    case 'linear-gelu':
      return g.gelu(g.linear(g.input('x'), g.weight('weight'), g.weight('bias')));
    case 'mlp': {
      const x = g.input('x');
      const hidden = g.gelu(g.linear(x, g.weight('fc1Weight'), g.weight('fc1Bias')));
      return g.add(g.linear(hidden, g.weight('fc2Weight'), g.weight('fc2Bias')), x);
    }
    case 'layer-norm':
      return g.norm(g.input('x'), g.weight('weight'), g.weight('bias'));
    case 'attention':
      return g.attention(g.input('q'), g.input('k'), g.input('v'), shape.heads);
    case 'block':
      return block(g, shape);
    case 'gpt':
      throw new RangeError('ONNX has no training step: leave this case to the other engines');
  }
}

function block(g: CaseGraph, { regions, locals, width, heads }: BlockCase): Tensor {
  const norm = (name: string, x: Tensor) => g.norm(x, g.weight(`${name}.weight`), g.weight(`${name}.bias`));
  const layer = (name: string, x: Tensor) =>
    g.linear(x, g.weight(`${name}.weight`), g.weight(`${name}.bias`));
  const selfAttention = (name: string, x: Tensor) => {
    const bias = g.joinedBias([`${name}.qBias`, undefined, `${name}.vBias`], width);
    const qkv = g.linear(norm(`${name}.Norm`, x), g.weight(`${name}.qkv`), bias);
    const [q, k, v] = g.split(qkv, [width, width, width], 2);
    return g.add(layer(`${name}.projection`, g.attention(q!, k!, v!, heads)), x);
  };
  const windows = selfAttention('local', g.input('x'));
  const [representatives, tokens] = g.split(windows, [1, locals], 1);
  const mixed = selfAttention('interRegion', g.reshape(representatives!, [1, regions, width]));
  const name = 'localGlobal';
  const q = g.linear(norm(`${name}.Norm`, tokens!), g.weight(`${name}.q`), g.weight(`${name}.qBias`));
  const kvBias = g.joinedBias([undefined, `${name}.vBias`], width);
  const kv = g.linear(norm(`${name}.contextNorm`, mixed), g.weight(`${name}.kv`), kvBias);
  const [k, v] = g.split(kv, [width, width], 2);
  const attended = g.attention(g.reshape(q, [1, regions * locals, width]), k!, v!, heads);
  const projected = g.reshape(layer(`${name}.projection`, attended), [regions, locals, width]);
  const informed = g.add(projected, tokens!);
  const joined = g.concat([g.reshape(mixed, [regions, 1, width]), informed], 1);
  return g.add(layer('mlp.fc2', g.gelu(layer('mlp.fc1', norm('mlp.Norm', joined)))), joined);
}

/** The operators that the cases need, with shapes. */
class CaseGraph {
  readonly graph = new OnnxGraph();
  /** Inputs of the model, in order. */
  readonly used: string[] = [];

  constructor(
    private readonly inputs: HostTensors,
    private readonly method: AttentionMethod,
  ) {}

  input(name: string): Tensor {
    const { shape } = this.inputs[name]!;
    this.used.push(name);
    return { edge: this.graph.input(name, shape), shape };
  }

  weight(name: string): Tensor {
    const array = this.inputs[name];
    if (!array) throw new RangeError(`the case has no input "${name}"`);
    return { edge: this.graph.constant(array), shape: array.shape };
  }

  /** Vectors of `width` one after the other; undefined ones are zero. */
  joinedBias(names: readonly (string | undefined)[], width: number): Tensor {
    const data = new Float32Array(names.length * width);
    names.forEach((name, i) => name !== undefined && data.set(this.inputs[name]!.data, i * width));
    const shape = [data.length];
    return { edge: this.graph.constant({ shape, data }), shape };
  }

  product(a: Tensor, b: Tensor): Tensor {
    return {
      edge: this.graph.node('MatMul', [a.edge, b.edge]),
      shape: [...a.shape.slice(0, -1), b.shape.at(-1)!],
    };
  }

  linear(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
    return this.add(this.product(x, weight), bias);
  }

  add(a: Tensor, b: Tensor): Tensor {
    return { edge: this.graph.node('Add', [a.edge, b.edge]), shape: a.shape };
  }

  gelu(x: Tensor): Tensor {
    return { edge: this.graph.node('Gelu', [x.edge], { domain: 'com.microsoft' }), shape: x.shape };
  }

  norm(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
    const attributes = { axis: x.shape.length - 1, epsilon: { float: LAYER_NORM_EPSILON } };
    const edges = [x.edge, weight.edge, bias.edge];
    return { edge: this.graph.node('LayerNormalization', edges, { attributes }), shape: x.shape };
  }

  split(x: Tensor, sizes: readonly number[], axis: number): Tensor[] {
    const inputs = [x.edge, this.graph.integers(sizes)];
    const edges = this.graph.nodes('Split', inputs, sizes.length, { attributes: { axis } });
    return edges.map((edge, i) => ({
      edge,
      shape: x.shape.map((extent, at) => (at === axis ? sizes[i]! : extent)),
    }));
  }

  concat(parts: readonly Tensor[], axis: number): Tensor {
    const edges = parts.map(({ edge }) => edge);
    const shape = parts[0]!.shape.map((extent, at) =>
      at === axis ? parts.reduce((sum, part) => sum + part.shape[axis]!, 0) : extent,
    );
    return { edge: this.graph.node('Concat', edges, { attributes: { axis } }), shape };
  }

  reshape(x: Tensor, shape: readonly number[]): Tensor {
    if (product(shape) !== product(x.shape)) {
      throw new RangeError(`[${x.shape.join(', ')}] cannot be reshaped to [${shape.join(', ')}]`);
    }
    return { edge: this.graph.node('Reshape', [x.edge, this.graph.integers(shape)]), shape };
  }

  /** q, k and v [groups, rows, heads · d] → [groups, rows, heads · d]. */
  attention(q: Tensor, k: Tensor, v: Tensor, heads: number): Tensor {
    if (this.method === 'fused attention') {
      const edges = [q.edge, k.edge, v.edge];
      const options = { attributes: { num_heads: heads }, domain: 'com.microsoft' } as const;
      return { edge: this.graph.node('MultiHeadAttention', edges, options), shape: q.shape };
    }
    const d = q.shape[2]! / heads;
    const apart = (x: Tensor, order: readonly number[]) => {
      const [groups, rows] = x.shape as [number, number];
      return this.transpose(this.reshape(x, [groups, rows, heads, d]), order);
    };
    const scale = this.graph.constant({ shape: [1], data: Float32Array.of(d ** -0.5) });
    const queries = apart(q, [0, 2, 1, 3]);
    const scaled = { ...queries, edge: this.graph.node('Mul', [queries.edge, scale]) };
    const scores = this.product(scaled, apart(k, [0, 2, 3, 1]));
    const softmax = this.graph.node('Softmax', [scores.edge], { attributes: { axis: 3 } });
    const mixed = this.product({ ...scores, edge: softmax }, apart(v, [0, 2, 1, 3]));
    return this.reshape(this.transpose(mixed, [0, 2, 1, 3]), q.shape);
  }

  private transpose(x: Tensor, perm: readonly number[]): Tensor {
    const edge = this.graph.node('Transpose', [x.edge], { attributes: { perm } });
    return { edge, shape: perm.map((axis) => x.shape[axis]!) };
  }
}
